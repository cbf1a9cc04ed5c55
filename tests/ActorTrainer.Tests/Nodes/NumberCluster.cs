using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Tests.Actors;

namespace ActorTrainer.Tests.Nodes;

/// <summary>Nodes of one cluster in this process, over loopback, that train on numbers; everything but the numbers is the real thing.</summary>
internal sealed class NumberCluster : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("actortrainer-nodes-").FullName;
    private readonly List<ClusterNode> _nodes = [];

    /// <summary>What all stages share: planned misfortune.</summary>
    public NumberWorld World { get; } = new();

    public NumberPreparation Preparation { get; } = new();

    /// <summary>Seeds of everybody but the first node.</summary>
    public IReadOnlyList<string> Seeds => [.. _nodes.Take(1).Select(node => node.Address)];

    /// <summary>Starts a node; the first one forms the cluster.</summary>
    public ClusterNode Start(string name, params string[] roles)
    {
        var node = ClusterNode.Start(new ClusterNodeSettings
        {
            Options = new ClusterOptions { Node = name, Seeds = Seeds, Folder = Path.Combine(_folder, name), Cores = 1, Memory = 64, Lease = 2, LinkPatience = 1 },
            Roles = roles,
            Preparation = Preparation,
            Computation = store => new NumberStage(World, store),
            Reader = new NumberPayloadReader(),
            MeasureSpeed = () => 1,
        });
        _nodes.Add(node);
        return node;
    }

    public ClusterNode StartStage(string name) => Start(name, NodeReport.Role.Stage);

    public ClusterClient Client() => ClusterClient.Connect(new ClusterOptions { Seeds = Seeds }, TimeProvider.System);

    /// <summary>Warnings of all nodes, for the message of a failed test.</summary>
    public string Logs() => string.Join('\n', Directory.GetFiles(_folder, "node.log", SearchOption.AllDirectories).Select(file => $"--- {file}\n{Read(file)}"));

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_nodes.Select(node => node.Abort()));
        Directory.Delete(_folder, recursive: true);
    }

    private static string Read(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }
}
