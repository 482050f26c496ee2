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

    readonly string path, pages;
    readonly GnupgHome gnupg;
    readonly Process server;

    public AppcSite(string parent)
    {
        Machine.Require("/usr/sbin/nginx", "/usr/bin/gpg", "/usr/bin/openssl", "/usr/bin/nsenter");
        gnupg = new GnupgHome();
        path = parent + "/site";
        pages = path + "/pages";
        Directory.CreateDirectory(pages);
        TlsServer.WriteFiles(path, "example.com", "DNS:example.com", "127.0.0.1:443", pages);
        File.WriteAllText(path + "/hosts", "127.0.0.1 localhost example.com\n");
        WritePage("");
        server = Process.Start(new ProcessStartInfo("unshare", ["--net", "--mount", "/bin/sh", "-ec", $"ip link set lo up; mount --bind {path}/hosts /etc/hosts; exec nginx -e {path}/error.log -c {path}/nginx.conf"])
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        TlsServer.WaitFor(path, server);
    }

    public string MakeKey(string userId, string expires = "never", string? when = null) => gnupg.MakeKey(userId, expires, when);

    /// <returns>The path of the armored public key.</returns>
    public string Export(string key) => gnupg.Export(key, $"{path}/{key}.asc");

    public void Revoke(string key) => gnupg.Revoke(key);

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

    /// <summary>Makes an image of a root file system that is there, signs it, and has the site's page tell of it.</summary>
    /// <param name="app">The manifest's app, in JSON.</param>
    public void PublishTree(string name, string rootfs, string app, string key)
    {
        var last = name[(name.LastIndexOf('/') + 1)..];
        File.WriteAllText($"{path}/manifest", $$"""
            {"acKind":"ImageManifest","acVersion":"0.8.11","name":"{{name}}","labels":[{"name":"version","value":"1.0"},{"name":"os","value":"linux"},{"name":"arch","value":"{{Arch}}"}],"app":{{app}}}
            """);
        Shell($"tar -cf pages/{last}.tar manifest; tar -C {rootfs}/.. -rf pages/{last}.tar rootfs; mv pages/{last}.tar pages/{last}.aci");
        Sign($"{last}.aci", key, null);
        WritePage("");
    }

    /// <summary>Publishes an image file that is there.</summary>
    public void PublishFile(string aci, string key)
    {
        File.Copy(aci, $"{pages}/{Path.GetFileName(aci)}");
        Sign(Path.GetFileName(aci), key, null);
        WritePage("");
    }

    public void OfferKey(string key, string scheme = "https")
    {
        File.Copy(Export(key), $"{pages}/pubkeys.gpg");
        WritePage($"<meta name=\"ac-discovery-pubkeys\" content=\"example.com {scheme}://example.com/pubkeys.gpg\">");
    }

    /// <summary>A shell's words that serve the pages by plain http for as long as it runs.</summary>
    public string ServingPlainly => $"busybox httpd -f -p 127.0.0.1:80 -h {pages} & trap \"kill $!\" EXIT; sleep 0.5";

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
        gnupg.Run("--armor", "--yes", "--local-user", key, "--output", $"{pages}/{file}", "--detach-sign", $"{path}/else");
    }

    /// <summary>Has nacelle sign one of the pages' files.</summary>
    public Result SignByNacelle(string file, string key)
    {
        Remove($"{file}.asc");
        return Machine.Run("/usr/bin/env", $"GNUPGHOME={gnupg.Path}", Machine.Program, "image", "sign", $"--local-user={key}", $"{pages}/{file}");
    }

    /// <returns>The path of one of the pages' files, which is not there any more.</returns>
    public string TakeAway(string file)
    {
        File.Move($"{pages}/{file}", $"{path}/{file}", overwrite: true);
        return $"{path}/{file}";
    }

    /// <summary>After <see cref="TakeAway"/>.</summary>
    public void PutBack(string file) => File.Copy($"{path}/{file}", $"{pages}/{file}");

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
        gnupg.Dispose();
    }

    void WritePage(string more) => File.WriteAllText(
        $"{pages}/index.html",
        $$"""<!DOCTYPE html><html><head><title>An example</title><meta name="ac-discovery" content="example.com https://{name}.{ext}">{{more}}</head></html>""");

    void Sign(string file, string key, string? when) =>
        gnupg.Run([.. GnupgHome.At(when), "--armor", "--yes", "--local-user", key, "--output", $"{pages}/{file}.asc", "--detach-sign", $"{pages}/{file}"]);

    void Shell(string script) => Machine.Script(path, script);
}
