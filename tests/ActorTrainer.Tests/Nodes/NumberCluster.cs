using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Tests.Actors;
using Akka.Actor;
using Akka.Configuration;
using Xunit;

namespace ActorTrainer.Tests.Nodes;

/// <summary>Nodes of one cluster in this process, over loopback, that train on numbers; everything but the numbers is the real thing.</summary>
internal sealed class NumberCluster : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("actortrainer-nodes-").FullName;
    private readonly List<ClusterNode> _nodes = [];

    /// <summary>What all stages share: planned misfortune.</summary>
    public NumberWorld World { get; } = new();

    public NumberPreparation Preparation { get; } = new();

    /// <summary>Settings of all nodes and clients.</summary>
    public ClusterOptions Shared { get; set; } = new() { Cores = 1, Memory = 64, Lease = 2, LinkPatience = 1 };

    /// <summary>Makes the certificates of a cluster with TLS.</summary>
    public TestAuthority? Authority { get; set; }

    /// <summary>Starts a node; the first one forms the cluster.</summary>
    public ClusterNode Start(string name, params string[] roles)
    {
        var node = ClusterNode.Start(new ClusterNodeSettings
        {
            Options = Shared with
            {
                Node = name,
                Seeds = [.. _nodes.Take(1).Select(node => node.Address)],
                Folder = Path.Combine(_folder, name),
                JournalConnection = Path.Combine(_folder, "journal.db"),
                Certificate = Shared.Tls ? Authority!.Issue(name) : "",
            },
            Roles = roles,
            Preparation = Preparation,
            Computation = (store, _) => new NumberStage(World, store),
            Reader = new NumberPayloadReader(),
            MeasureSpeed = () => 1,
        });
        _nodes.Add(node);
        return node;
    }

    public ClusterNode StartStage(string name) => Start(name, NodeReport.Role.Stage);

    public ClusterClient Client() => ClusterClient.Connect(Shared with { Seeds = [.. _nodes.Select(node => node.Address)] }, TimeProvider.System);

    /// <summary>Warnings of all nodes, for the message of a failed test.</summary>
    public string Logs() => string.Join('\n', Directory.GetFiles(_folder, "node.log", SearchOption.AllDirectories).Select(file => $"--- {file}\n{Read(file)}"));

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_nodes.Select(node => node.Abort()));
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Waits until the coordinator knows this many stages that answer.</summary>
    public static async Task StagesAre(ClusterClient client, int count, TimeSpan patience)
    {
        using var end = new CancellationTokenSource(patience);
        while ((await client.Status(end.Token)).Nodes.Count(node => node.Node.IsStage && node.State == "free") < count)
        {
            await Task.Delay(50, end.Token);
        }
    }

    /// <summary>Asserts that a run had the digests of one in one process, step by step.</summary>
    public static void AssertSameDigests(RecordingObserver actual)
    {
        var expected = new RecordingObserver();
        var services = NumberRun.Services(NumberRun.Options(), new NumberWorld(), expected);
        using var system = ActorSystem.Create("reference", ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF"));
        var run = system.ActorOf(Props.Create(() => new RunCoordinator(services)));
        Assert.Equal(
            OutcomeKind.Completed, run.Ask<RunProtocol.Outcome>(new RunProtocol.Start(), TimeSpan.FromSeconds(20)).GetAwaiter().GetResult().Kind);
        Assert.NotEmpty(expected.Digests);
        Assert.Equal(expected.Digests.Keys.Order(), actual.Digests.Keys.Order());
        foreach (var (step, digests) in expected.Digests)
        {
            Assert.Equal(digests, actual.Digests[step]);
        }
    }

    private static string Read(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }
}
