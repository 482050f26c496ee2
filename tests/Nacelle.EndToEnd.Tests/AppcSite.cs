using System.Diagnostics;
using System.Text;

namespace Nacelle.EndToEnd.Tests;

/// <summary>
/// https://example.com, as only the processes in a network namespace of its own see it: nginx with a certificate of an own authority, appc images,
/// signatures by GnuPG, pages that say where all that is.
/// </summary>
sealed class AppcSite : IDisposable
{
    static readonly string Arch = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "aarch64" : "amd64";

    readonly string path, pages, gnupg;
    readonly Process server;

    public AppcSite(string parent)
    {
        foreach (var tool in new[] { "/usr/sbin/nginx", "/usr/bin/gpg", "/usr/bin/openssl", "/usr/bin/nsenter" })
        {
            Assert.SkipUnless(File.Exists(tool), $"there is no {tool}");
        }

        path = parent + "/site";
        pages = path + "/pages";
        gnupg = Directory.CreateTempSubdirectory("ngpg").FullName; // short: a socket's path holds 107 bytes
        Directory.CreateDirectory(pages);
        Directory.CreateDirectory(path + "/tmp");
        Shell($"""
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj '/CN=An own authority' -days 2
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=example.com
            printf 'subjectAltName=DNS:example.com' >names
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names
            printf '127.0.0.1 localhost example.com\n' >hosts
            """);
        File.WriteAllText($"{path}/nginx.conf", $$"""
            daemon off;
            user root;
            pid {{path}}/nginx.pid;
            error_log {{path}}/error.log;
            events {}
            http {
                access_log {{path}}/access.log;
                client_body_temp_path {{path}}/tmp; proxy_temp_path {{path}}/tmp; fastcgi_temp_path {{path}}/tmp; uwsgi_temp_path {{path}}/tmp; scgi_temp_path {{path}}/tmp;
                server {
                    listen 127.0.0.1:443 ssl;
                    server_name example.com;
                    ssl_certificate {{path}}/server.pem;
                    ssl_certificate_key {{path}}/server.key;
                    root {{pages}};
                    default_type text/html;
                }
            }
            """);
        WritePage("");
        server = Process.Start(new ProcessStartInfo("unshare", ["--net", "--mount", "/bin/sh", "-ec", $"ip link set lo up; mount --bind {path}/hosts /etc/hosts; exec nginx -e {path}/error.log -c {path}/nginx.conf"])
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        Machine.Eventually(() => File.Exists($"{path}/nginx.pid") && new FileInfo($"{path}/nginx.pid").Length > 0 && File.ReadAllText($"/proc/{server.Id}/comm") == "nginx\n", "the server runs");
    }

    public string MakeKey(string userId, string expires = "never", string? when = null)
    {
        Gpg([.. when is null ? Array.Empty<string>() : ["--faked-system-time", when], "--passphrase", "", "--quick-generate-key", userId, "ed25519", "sign", expires]);
        return Gpg("--with-colons", "--list-keys", userId).Split('\n').First(line => line.StartsWith("fpr:", StringComparison.Ordinal)).Split(':')[9].ToLowerInvariant();
    }

    /// <returns>The path of the armored public key.</returns>
    public string Export(string key)
    {
        Gpg("--armor", "--output", $"{path}/{key}.asc", "--export", key);
        return $"{path}/{key}.asc";
    }

    public void Revoke(string key)
    {
        var certificate = $"{gnupg}/openpgp-revocs.d/{key.ToUpperInvariant()}.rev";
        File.WriteAllText(certificate, File.ReadAllText(certificate).Replace(":-----BEGIN", "-----BEGIN", StringComparison.Ordinal));
        Gpg("--import", certificate);
    }

    /// <summary>Makes an image of busybox that runs a script, signs it, and has the site's page tell of it.</summary>
    public void Publish(string name, string script, string key, string? when = null, string? dependency = null)
    {
        var (image, last) = ($"{path}/image", name[(name.LastIndexOf('/') + 1)..]);
        Directory.CreateDirectory($"{image}/rootfs");
        var depends = dependency is null ? "" : $$""","dependencies":[{"imageName":"{{dependency}}"}]""";
        File.WriteAllText($"{image}/manifest", $$"""
            {"acKind":"ImageManifest","acVersion":"0.8.11","name":"{{name}}","labels":[{"name":"version","value":"1.0"},{"name":"os","value":"linux"},{"name":"arch","value":"{{Arch}}"}],
             "app":{"exec":["/bin/sh","-c","{{script}}"],"user":"0","group":"0"}{{depends}}}
            """);
        Shell($"""
            cd image; rm -rf rootfs/*
            {(dependency is null ? $"mkdir rootfs/bin; cp /bin/busybox rootfs/bin/busybox; for c in sh cat true echo; do ln -s busybox rootfs/bin/$c; done; echo {name} >rootfs/from-base" : "echo app >rootfs/app")}
            tar --owner=0 --group=0 -czf ../pages/{last}.aci manifest rootfs
            """);
        Sign($"{last}.aci", key, when);
        WritePage("");
    }

    public void OfferKey(string key)
    {
        File.Copy(Export(key), $"{pages}/pubkeys.gpg");
        WritePage("<meta name=\"ac-discovery-pubkeys\" content=\"example.com https://example.com/pubkeys.gpg\">");
    }

    public void Change(string file, Action<byte[]> change)
    {
        var bytes = File.ReadAllBytes($"{pages}/{file}");
        change(bytes);
        File.WriteAllBytes($"{pages}/{file}", bytes);
    }

    /// <summary>A signature by the right key, of something else.</summary>
    public void ReplaceSignature(string file, string key)
    {
        File.WriteAllText($"{path}/else", "something else");
        Gpg("--armor", "--yes", "--local-user", key, "--output", $"{pages}/{file}", "--detach-sign", $"{path}/else");
    }

    /// <summary>Has nacelle sign one of the pages' files.</summary>
    public Result SignByNacelle(string file, string key)
    {
        Remove($"{file}.asc");
        return Machine.Run("/usr/bin/env", $"GNUPGHOME={gnupg}", Machine.Program, "image", "sign", $"--local-user={key}", $"{pages}/{file}");
    }

    public void Remove(string file) => File.Delete($"{pages}/{file}");

    public void Swap(string one, string other) => Shell($"cd pages; for e in aci aci.asc; do mv {one}.$e x; mv {other}.$e {one}.$e; mv x {other}.$e; done");

    /// <summary>Runs a program where example.com is this site, and its authority is known.</summary>
    public Result Run(string program, params string[] arguments) => Enter([$"SSL_CERT_FILE={path}/ca.pem"], program, arguments);

    public Result RunWithoutAuthority(string program, params string[] arguments) => Enter([], program, arguments);

    Result Enter(string[] environment, string program, string[] arguments) =>
        Machine.Run("/usr/bin/nsenter", ["--net", "--mount", $"--target={server.Id}", "--", "env", .. environment, program, .. arguments]);

    public void Dispose()
    {
        server.Kill(entireProcessTree: true);
        server.WaitForExit();
        server.Dispose();
        Machine.Run("/usr/bin/env", $"GNUPGHOME={gnupg}", "gpgconf", "--kill", "all");
        Directory.Delete(gnupg, recursive: true);
    }

    void WritePage(string more) => File.WriteAllText(
        $"{pages}/index.html",
        $$"""<!DOCTYPE html><html><head><title>An example</title><meta name="ac-discovery" content="example.com https://{name}.{ext}">{{more}}</head></html>""");

    void Sign(string file, string key, string? when) =>
        Gpg([.. when is null ? Array.Empty<string>() : ["--faked-system-time", when], "--armor", "--yes", "--local-user", key, "--output", $"{pages}/{file}.asc", "--detach-sign", $"{pages}/{file}"]);

    string Gpg(params string[] arguments)
    {
        var result = Machine.Run("/usr/bin/env", [$"GNUPGHOME={gnupg}", "gpg", "--batch", "--pinentry-mode", "loopback", .. arguments]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    void Shell(string script)
    {
        var result = Machine.Run("/bin/sh", "-ec", $"cd {path}; {script}");
        Assert.True(result.ExitCode == 0, result.ToString());
    }
}
