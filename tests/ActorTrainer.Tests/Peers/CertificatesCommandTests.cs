using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Host.Cli;
using ActorTrainer.Model.Common;
using ActorTrainer.Tests.Checkpoints;
using Xunit;

namespace ActorTrainer.Tests.Peers;

public sealed class CertificatesCommandTests
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    [Fact]
    public async Task Makes_files_that_nodes_start_with_and_others_cannot_read()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal((App.Done, ""), await Make(folder, "[north,south]"));

        Assert.Equal(
            ["authority-key.pem", "authority.pem", "north.pem", "secret", "south.pem"],
            Directory.GetFiles(folder["keys"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        if (!OperatingSystem.IsWindows())
        {
            foreach (var name in new[] { "authority-key.pem", "north.pem", "south.pem", "secret" })
            {
                Assert.Equal(OwnerOnly, File.GetUnixFileMode(In(folder, name)));
            }
        }

        var north = Settings(folder, "north");
        using var listener = new PeerNetwork(north);
        using var caller = new PeerNetwork(Settings(folder, "south"));
        listener.Serve(PeerPurpose.Objects, connection => connection.Dispose());
        listener.Listen();
        using var connection = caller.Connect(listener.Address, PeerPurpose.Objects, PeerPair.Patience);
        Assert.Equal("north", connection.Node);
        Assert.Equal(64, north.Secret!.Length);
    }

    [Fact]
    public async Task A_second_call_adds_nodes_of_the_same_cluster()
    {
        using var folder = new TemporaryFolder();
        await Make(folder, "[north]");
        var before = Directory.GetFiles(folder["keys"]).ToDictionary(file => file, File.ReadAllText);

        Assert.Equal((App.Done, ""), await Make(folder, "south"));

        Assert.All(before, file => Assert.Equal(file.Value, File.ReadAllText(file.Key)));
        Assert.Null(Load(folder, "north").ComplainAbout(Load(folder, "south").Certificate));
    }

    [Fact]
    public async Task Nothing_is_overwritten_and_nothing_half_made()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["keys"]);
        await File.WriteAllTextAsync(In(folder, "south.pem"), "mine");

        var (code, error) = await Make(folder, "[north,south]");

        Assert.Equal(App.Refused, code);
        Assert.Contains("south.pem exists", error);
        Assert.Equal("mine", await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(folder["keys"]))));
    }

    [Theory]
    [InlineData("[]", "expected nodes=")]
    [InlineData("[a,a]", "a is named twice")]
    [InlineData("[../a]", "found '../a'")]
    [InlineData("[authority]", "cannot be called authority")]
    public async Task Names_are_checked(string nodes, string complaint)
    {
        using var folder = new TemporaryFolder();

        var (code, error) = await Make(folder, nodes);

        Assert.Equal(App.Refused, code);
        Assert.Contains(complaint, error);
        Assert.False(Directory.Exists(folder["keys"]));
    }

    [Fact]
    public async Task Files_that_do_not_fit_are_refused_with_their_key()
    {
        using var folder = new TemporaryFolder();
        using var other = new TemporaryFolder();
        await Make(folder, "[north]");
        await Make(other, "[north]");
        await File.WriteAllTextAsync(folder["short"], "too short");
        var (north, authority, secret) = (In(folder, "north.pem"), In(folder, "authority.pem"), In(folder, "secret"));

        Refused("cluster.certificate: expected a certificate signed by", () => TlsFiles.Load(north, In(other, "authority.pem")));
        Refused("cluster.certificate: expected PEM", () => TlsFiles.Load(authority, authority));
        Refused("cluster.certificate: expected PEM", () => TlsFiles.Load(secret, authority));
        Refused("cluster.authority: expected the self-signed", () => TlsFiles.Load(north, north));
        Refused("cluster.authority: expected the self-signed", () => TlsFiles.Load(north, secret));
        Refused("cannot be read", () => TlsFiles.Load(north + ".none", authority));
        Refused("cluster.authority", () => TlsFiles.Load(north, ""));
        Refused("expected 16 to 4096 bytes", () => ClusterSecret.Load(folder["short"]));
        Refused("cannot be read", () => ClusterSecret.Load(folder["none"]));
    }

    private static void Refused(string complaint, Func<object> action) => Assert.Contains(complaint, Assert.Throws<RefusedException>(action).Message);

    private static string In(TemporaryFolder folder, string name) => Path.Combine(folder["keys"], name);

    private static TlsIdentity Load(TemporaryFolder folder, string node) => TlsFiles.Load(In(folder, node + ".pem"), In(folder, "authority.pem"));

    private static PeerSettings Settings(TemporaryFolder folder, string node) => new()
    {
        Node = node,
        Incarnation = "1",
        Secret = ClusterSecret.Load(In(folder, "secret")),
        Tls = Load(folder, node),
    };

    private static async Task<(int Code, string Error)> Make(TemporaryFolder folder, string nodes)
    {
        var error = new StringWriter();
        var code = await App.Run(["certificates", $"out={folder["keys"]}", $"nodes={nodes}"], Host.Program.Commands, new StringWriter(), error);
        return (code, error.ToString());
    }
}
