using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CsCheck;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>What says who we are and whom we believe (docker's config.json, certs.d), changed in a few places: read, or refused by one line that names the file.</summary>
public sealed class AccessMutationTests
{
    const string Config = """
        {"auths":{"h.example:5000":{"auth":"dXNlcjpzZWNyZXQ="},"https://index.docker.io/v1/":{"username":"user","password":"secret"},"h.example:5000/some":{"auth":"MDAwOg==","identitytoken":"t"}},
         "credHelpers":{"q.example":"name"},"credsStore":"store","HttpHeaders":{"User-Agent":"x"}}
        """;

    static void OneLine(string file, Action read)
    {
        try
        {
            read();
        }
        catch (Exception refused) when (refused is SpecException or ImageException)
        {
            Assert.StartsWith(file, refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(refused.Message, char.IsControl);
        }
    }

    static Gen<byte[]> Mutate(byte[] real) => Gen.Select(Gen.Int[0, real.Length - 1], Gen.Byte, Gen.Int[0, 3]).Array[1, 4].Select(changes =>
    {
        var bytes = real.ToList();
        foreach (var (place, value, kind) in changes)
        {
            int at = Math.Min(place, bytes.Count - 1);
            switch (kind)
            {
                case 0 when bytes.Count > 1: bytes.RemoveAt(at); break;
                case 1: bytes.Insert(at, value); break;
                case 2 when value < 32 && at > 0: bytes.RemoveRange(at, bytes.Count - at); break;
                default: bytes[at] = value; break;
            }
        }

        return bytes.ToArray();
    });

    [Fact]
    public void Changed_files_of_docker_are_read_or_refused() => Mutate(Encoding.UTF8.GetBytes(Config)).Sample(
        bytes => OneLine("config.json: ", () =>
        {
            foreach (var (host, repository) in new[] { ("h.example:5000", "some/image"), ("docker.io", "library/redis"), ("q.example", "x") })
            {
                RegistryCredentials.FindIn(Encoding.UTF8.GetString(bytes), "config.json", host, repository, (_, _) => null);
            }
        }),
        iter: 10_000);

    [Fact]
    public void Changed_authorities_are_read_or_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddDays(1));
        string pem = certificate.ExportCertificatePem();
        Assert.Equal(2, RegistryTransport.ParseAuthorities(pem + "\n" + pem, "ca.crt").Count);
        Mutate(Encoding.ASCII.GetBytes(pem)).Sample(bytes => OneLine("ca.crt ", () => RegistryTransport.ParseAuthorities(Encoding.Latin1.GetString(bytes), "ca.crt")), iter: 3000);
        Mutate(certificate.RawData).Sample(
            bytes => OneLine("ca.crt ", () => RegistryTransport.ParseAuthorities(PemEncoding.WriteString("CERTIFICATE", bytes), "ca.crt")), iter: 3000);
    }
}
