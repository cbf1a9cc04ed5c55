using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;
using Xunit.Abstractions;

namespace ActorTrainer.Tests.Persistence;

/// <summary>
/// A PostgreSQL server of the tests' own, in a temporary folder, on a free loopback port and with fsync on. PostgreSQL does not run as
/// root: then it runs as another user, if the machine lets us.
/// </summary>
public sealed class PostgresServer : IDisposable
{
    public const string Password = "s3cret;=pass";

    private const string User = "actor";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("actortrainer-postgres");
    private readonly IReadOnlyList<string> _prefix = [];
    private Process? _server;

    /// <summary>Starts the server, or says in <see cref="Skipped"/> why there is none.</summary>
    public PostgresServer()
    {
        if (Binaries() is not { } binaries)
        {
            Skipped = "PostgreSQL's initdb and postgres are not on this machine";
            return;
        }

        if (Environment.UserName == "root")
        {
            if (Start("id", ["-u", "postgres"]).Code != 0 || Start("setpriv", ["--version"]).Code != 0)
            {
                Skipped = "PostgreSQL does not run as root, and this machine has no user postgres or no setpriv";
                return;
            }

            _prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"];
            Require(Start("chown", ["postgres:postgres", _folder.FullName]));
        }

        var (data, secret) = (Path.Combine(_folder.FullName, "data"), Path.Combine(_folder.FullName, "password"));
        File.WriteAllText(secret, Password);
        if (_prefix.Count > 0)
        {
            Require(Start("chown", ["postgres:postgres", secret]));
        }

        Require(AsUser(Path.Combine(binaries, "initdb"), "-D", data, "-U", User, "--auth=scram-sha-256", $"--pwfile={secret}", "--no-sync", "--locale=C", "-E", "UTF8"));
        Launch(Path.Combine(binaries, "postgres"), data);
    }

    /// <summary>Why there is no server; null when there is one.</summary>
    public string? Skipped { get; }

    /// <summary>TCP port on 127.0.0.1.</summary>
    public int Port { get; private set; }

    /// <summary>Makes a new database and returns its connection string; null, said to <paramref name="output"/>, when there is no server.</summary>
    public string? NewDatabase(ITestOutputHelper output)
    {
        if (Skipped is not null)
        {
            output.WriteLine($"skipped: {Skipped}");
            return null;
        }

        var name = $"test{Guid.NewGuid():N}";
        using var connection = new NpgsqlConnection(ConnectionTo("postgres"));
        connection.Open();
        using var command = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        command.ExecuteNonQuery();
        return ConnectionTo(name);
    }

    public void Dispose()
    {
        NpgsqlConnection.ClearAllPools();
        if (_server is { } server)
        {
            Start("kill", ["-INT", $"{server.Id}"]); // fast shutdown
            if (!server.WaitForExit(Patience))
            {
                server.Kill();
            }

            server.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    internal string ConnectionTo(string database, string password = Password) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = Port,
        Username = User,
        Password = password,
        Database = database,
    }.ConnectionString;

    private void Launch(string postgres, string data)
    {
        // The server cannot choose its own port; if another process takes the free one first, the next is tried.
        for (var attempt = 0; ; attempt++)
        {
            Port = FreePort();
            _server = Process.Start(Command([.. _prefix, postgres, "-D", data, "-p", $"{Port}", "-k", _folder.FullName, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=on"]))!;
            _server.OutputDataReceived += (_, _) => { };
            var log = new List<string>();
            using var ready = new ManualResetEventSlim();
            _server.ErrorDataReceived += (_, e) =>
            {
                lock (log)
                {
                    log.Add(e.Data ?? "");
                }

                if (e.Data is null || e.Data.Contains("ready to accept connections", StringComparison.Ordinal))
                {
                    ready.Set();
                }
            };
            _server.BeginOutputReadLine();
            _server.BeginErrorReadLine();
            if (ready.Wait(Patience) && !_server.HasExited)
            {
                return;
            }

            _server.Kill();
            _server.Dispose();
            _server = null;
            if (attempt == 3)
            {
                lock (log)
                {
                    throw new InvalidOperationException($"postgres did not start: {string.Join('\n', log)}");
                }
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string? Binaries()
    {
        var installed = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(f => int.TryParse(Path.GetFileName(f), out var version) ? version : 0).Select(f => Path.Combine(f, "bin"))
            : [];
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return installed.Concat(path).FirstOrDefault(f => File.Exists(Path.Combine(f, "initdb")) && File.Exists(Path.Combine(f, "postgres")));
    }

    private (int Code, string Output) AsUser(params string[] words) => _prefix.Count == 0 ? Start(words[0], words[1..]) : Start(_prefix[0], [.. _prefix.Skip(1), .. words]);

    private static void Require((int Code, string Output) result)
    {
        if (result.Code != 0)
        {
            throw new InvalidOperationException(result.Output);
        }
    }

    private static (int Code, string Output) Start(string program, IEnumerable<string> words)
    {
        try
        {
            using var process = Process.Start(Command([program, .. words]))!;
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output.Result + errors);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, e.Message);
        }
    }

    private static ProcessStartInfo Command(IReadOnlyList<string> words) => new(words[0], words.Skip(1))
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        WorkingDirectory = "/",
    };
}
