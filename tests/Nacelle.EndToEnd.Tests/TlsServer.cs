using System.Diagnostics;

namespace Nacelle.EndToEnd.Tests;

/// <summary>nginx with a certificate of an own authority, which is <c>ca.pem</c> beside the certificate.</summary>
sealed class TlsServer : IDisposable
{
    readonly Process process;

    /// <summary>Serves a directory on a port of loopback.</summary>
    public TlsServer(string path, int port, string pages)
    {
        Machine.Require("/usr/sbin/nginx", "/usr/bin/openssl");
        Address = $"https://127.0.0.1:{port}";
        WriteFiles(path, "127.0.0.1", "IP:127.0.0.1", $"127.0.0.1:{port}", pages);
        process = Process.Start(new ProcessStartInfo("nginx", ["-e", $"{path}/error.log", "-c", $"{path}/nginx.conf"])
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        WaitFor(path, process);
    }

    public string Address { get; }

    public void Dispose()
    {
        process.Kill(entireProcessTree: true);
        process.WaitForExit();
        process.Dispose();
    }

    /// <param name="subject">The certificate's, as in <c>DNS:example.com</c>.</param>
    /// <param name="listen">What nginx is to listen on.</param>
    public static void WriteFiles(string path, string name, string subject, string listen, string pages)
    {
        Directory.CreateDirectory(path + "/tmp");
        Machine.Script(path, $"""
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj '/CN=An own authority' -days 2
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN={name}
            printf 'subjectAltName={subject}' >names
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names
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
                    listen {{listen}} ssl;
                    server_name {{name}};
                    ssl_certificate {{path}}/server.pem;
                    ssl_certificate_key {{path}}/server.key;
                    root {{pages}};
                    default_type text/html;
                }
            }
            """);
    }

    public static void WaitFor(string path, Process server) => Machine.Eventually(
        () => File.Exists($"{path}/nginx.pid") && new FileInfo($"{path}/nginx.pid").Length > 0 && File.ReadAllText($"/proc/{server.Id}/comm") == "nginx\n", "the server runs");
}
