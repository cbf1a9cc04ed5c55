namespace ActorTrainer.Actors.Crew;

/// <summary>A node that can play a stage.</summary>
/// <param name="Name">Name.</param>
/// <param name="Speed">Relative to the node that <see cref="CrewNeeds.UnitSeconds"/> are of; above 0.</param>
/// <param name="MemoryBytes">Memory that a stage may use there.</param>
/// <param name="Holds">Hashes of the objects it holds.</param>
public sealed record PlacementNode(string Name, double Speed, long MemoryBytes, IReadOnlyCollection<string> Holds);

/// <summary>Where can this run live?</summary>
public sealed record PlacementProblem
{
    public required CrewNeeds Needs { get; init; }

    /// <summary>Nodes that can play a stage.</summary>
    public required IReadOnlyList<PlacementNode> Nodes { get; init; }

    /// <summary>Names of the nodes that can hold copies, those of <see cref="Nodes"/> usually among them.</summary>
    public IReadOnlyList<string> Keepers { get; init; } = [];

    /// <summary>Unit name → hash of its state; empty: initial weights.</summary>
    public IReadOnlyDictionary<string, string> Objects { get; init; } = new Dictionary<string, string>();

    /// <summary>Stages of the run so far: spares stand in so that they do not become fewer. 0: it has none yet.</summary>
    public int KeepStages { get; init; }

    /// <summary>Nodes better not linked to each other.</summary>
    public IReadOnlySet<NodePair> Suspects { get; init; } = new HashSet<NodePair>();
}

/// <summary>Two nodes in no order. The coordinator's node, which deals the batches, has the empty name.</summary>
public readonly record struct NodePair
{
    public NodePair(string a, string b) => (First, Second) = string.CompareOrdinal(a, b) <= 0 ? (a, b) : (b, a);

    public string First { get; }

    public string Second { get; }
}
