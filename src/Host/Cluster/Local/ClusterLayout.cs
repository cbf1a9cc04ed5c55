using System.Globalization;

namespace ActorTrainer.Host.Cluster.Local;

/// <summary>Names, addresses and command lines of the nodes of a local cluster: coordinators first, then stages, then spare stages.</summary>
internal sealed record ClusterLayout
{
    /// <summary>First port when nothing else is said; <c>cluster=local</c> looks there.</summary>
    public const int UsualPort = 4100;

    /// <summary>Stage nodes that a run uses.</summary>
    public int Stages { get; init; } = 3;

    /// <summary>More stage nodes, to stand in for lost ones.</summary>
    public int Spares { get; init; }

    /// <summary>Nodes that can coordinate; with more than one they share a journal.</summary>
    public int Coordinators { get; init; } = 1;

    /// <summary>Akka port of the first node; the others count up, data planes begin 100 above.</summary>
    public int Port { get; init; } = UsualPort;

    /// <summary>Folder of the cluster.</summary>
    public string Folder { get; init; } = "cluster";

    /// <summary>Address of each node by its index; loopback when left out.</summary>
    public Func<int, string> Address { get; init; } = _ => "127.0.0.1";

    /// <summary>Whether nodes are reached at other addresses than loopback.</summary>
    public bool Networked { get; init; }

    /// <summary>Settings that every node gets too, <c>key=value</c>.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>All nodes.</summary>
    public int Count => Coordinators + Stages + Spares;

    /// <summary>Names of the nodes that can coordinate.</summary>
    public IReadOnlyList<string> CoordinatorNames => [.. Enumerable.Range(0, Coordinators).Select(NameOf)];

    /// <summary>Names of the nodes that play stages, spare ones included.</summary>
    public IReadOnlyList<string> StageNames => [.. Enumerable.Range(Coordinators, Stages + Spares).Select(NameOf)];

    /// <summary>Where the cluster is found.</summary>
    public IReadOnlyList<string> Seeds => [.. Enumerable.Range(0, Count).Select(index => $"{Address(index)}:{PortOf(index)}")];

    /// <summary>The seeds as a setting of nodes and clients.</summary>
    public string SeedsSetting => $"cluster.seeds=[{string.Join(',', Seeds)}]";

    /// <summary>Name of a node.</summary>
    public static string NameOf(int index) => "n" + index.ToString(CultureInfo.InvariantCulture);

    /// <summary>Index of a node.</summary>
    public static int IndexOf(string name) => int.Parse(name.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>The nodes' command lines.</summary>
    /// <param name="program">This program.</param>
    public IReadOnlyList<NodeSpec> Specs(ProgramCommand program) => [.. Enumerable.Range(0, Count).Select(index =>
    {
        var (file, words) = program.With(Words(index));
        return new NodeSpec(NameOf(index), file, words);
    })];

    /// <summary>Words of the <c>node</c> command of one node.</summary>
    public IReadOnlyList<string> Words(int index)
    {
        var coordinates = index < Coordinators;
        List<string> words =
        [
            "node",
            $"role=[{(coordinates ? "coordinator" : "stage")}]",
            $"cluster.node={NameOf(index)}",
            $"cluster.address={Address(index)}",
            $"cluster.port={PortOf(index)}",
            $"cluster.data_port={PortOf(index) + 100}",
            $"cluster.folder={Path.Combine(Path.GetFullPath(Folder), NameOf(index))}",
            SeedsSetting,
        ];
        if (coordinates && Coordinators > 1)
        {
            words.Add($"cluster.journal_connection={Path.Combine(Path.GetFullPath(Folder), "journal.db")}");
        }

        if (Spares > 0)
        {
            words.Add($"cluster.spares={Spares}");
        }

        if (Networked)
        {
            words.Add("cluster.insecure=true");
        }

        return [.. words, .. Settings];
    }

    private int PortOf(int index) => Port + index;
}
