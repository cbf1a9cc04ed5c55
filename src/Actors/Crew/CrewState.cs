using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Actors.Crew;

/// <summary>
/// All decisions of a <see cref="ClusterCrew"/>: facts go in, actions come out. Knows no actors, timers or clock; <c>now</c> is in seconds
/// and never goes back. This file takes in facts, <c>CrewState.Gathering.cs</c> finds the crew of an attempt, <c>CrewState.Seated.cs</c>
/// watches over it.
/// </summary>
/// <param name="needs">What the run needs.</param>
public sealed partial class CrewState(CrewNeeds needs)
{
    private readonly SortedDictionary<string, KnownNode> _usable = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, NodeReport> _everSeen = new(StringComparer.Ordinal);
    private readonly LinkSuspicions _suspicions = new();
    private readonly ObjectHolders _holders = new();
    private readonly List<CrewAction> _actions = [];
    private NodeSpeeds _speeds = NodeSpeeds.None;
    private string? _hold;
    private bool _heardOfNodes;
    private double _lastAppeared;
    private CrewProtocol.Assemble? _attempt;
    private PlacementPlan? _lastPlan;

    /// <summary>When <see cref="Wake"/> must be called at the latest, null: when something happens.</summary>
    public double? WakeAt { get; private set; }

    /// <summary>Agents of the nodes that beat.</summary>
    public IReadOnlyCollection<KnownNode> Usable => _usable.Values;

    /// <summary>The registry knows these nodes.</summary>
    public IReadOnlyList<CrewAction> Apply(RegistryProtocol.Nodes nodes, double now)
    {
        _heardOfNodes = true;
        _hold = nodes.Hold;
        var before = new Dictionary<string, KnownNode>(_usable);
        _usable.Clear();
        foreach (var node in nodes.Usable)
        {
            var name = node.Report.Name;
            _usable[name] = node;
            if (node.Report.IsStage)
            {
                _everSeen[name] = node.Report;
            }

            if (before.Remove(name, out var known) && known.Report.Incarnation == node.Report.Incarnation)
            {
                continue;
            }

            _lastAppeared = now;
            Left(name);
        }

        foreach (var gone in before.Keys)
        {
            Left(gone);
        }

        return Decide(now);

        void Left(string name)
        {
            _suspicions.Forget(name);
            _seated?.Silent.Remove(name);
        }
    }

    /// <summary>A new attempt begins.</summary>
    public IReadOnlyList<CrewAction> Apply(CrewProtocol.Assemble assemble, double now)
    {
        if (_attempt is { } known && known.Run == assemble.Run && known.Attempt >= assemble.Attempt)
        {
            return [];
        }

        if (_lastPlan is not null)
        {
            _holders.NoteCommitted(assemble.Objects, needs.Units, _lastPlan);
        }

        _attempt = assemble;
        _gathering = new Gathering(now);
        _seated = null;
        return Decide(now);
    }

    /// <summary>A node has answered.</summary>
    public IReadOnlyList<CrewAction> Apply(NodeProtocol.Engaged answer, double now)
    {
        if (answer.Run != _attempt?.Run || answer.Attempt != _attempt.Attempt)
        {
            return [];
        }

        _holders.Note(answer);
        if (_gathering is { } gathering)
        {
            gathering.Answers[answer.Node.Name] = answer;
        }
        else if (_seated is { } seated && seated.Silent.TryGetValue(answer.Node.Name, out var incarnation) && incarnation == answer.Node.Incarnation)
        {
            seated.Silent.Remove(answer.Node.Name); // too late for this attempt, but it can be had for the next
        }

        return Decide(now);
    }

    /// <summary>A step was measured.</summary>
    public IReadOnlyList<CrewAction> Apply(CrewProtocol.Measured measured, double now)
    {
        if (_seated is { } seated && measured.Run == _attempt?.Run && measured.Attempt == _attempt.Attempt && seated.WarmedUp())
        {
            _speeds = _speeds.After(
                [.. seated.Players.Select((player, stage) => (player.Node, seated.Plan.Stages[stage].Units.Sum(unit => needs.UnitSeconds[unit])))], measured.Busy);
        }

        return Decide(now);
    }

    /// <summary>A link broke.</summary>
    public IReadOnlyList<CrewAction> Apply(CrewProtocol.Suspect suspect, double now)
    {
        if (suspect.Run == _attempt?.Run && new[] { suspect.NodeA, suspect.NodeB }.All(name => name.Length == 0 || _usable.ContainsKey(name)))
        {
            _suspicions.Add(new NodePair(suspect.NodeA, suspect.NodeB), now + needs.Suspicion.TotalSeconds);
        }

        return Decide(now);
    }

    /// <summary>Objects that are kept.</summary>
    public void Apply(CrewProtocol.Keep keep) => _holders.Retain(keep.Hashes.Concat(_attempt?.Objects.Values ?? []));

    /// <summary>Time has passed.</summary>
    public IReadOnlyList<CrewAction> Wake(double now) => Decide(now);

    private IReadOnlyList<CrewAction> Decide(double now)
    {
        WakeAt = null;
        _actions.Clear();
        if (_gathering is not null)
        {
            Gather(_gathering, now);
        }

        if (_seated is not null)
        {
            Watch(_seated, now);
        }

        return [.. _actions];
    }

    private void WakeBy(double time) => WakeAt = Math.Min(WakeAt ?? double.PositiveInfinity, time);

    private void Say(object message) => _actions.Add(new CrewAction.Say(message));

    private PlacementProblem Problem(
        IReadOnlyList<NodeReport> stages, Func<string, IReadOnlyCollection<string>> holds, IReadOnlyList<string> keepers, IReadOnlySet<NodePair> suspects)
    {
        var speeds = _speeds.Relative(stages);
        return new PlacementProblem
        {
            Needs = needs,
            Nodes = [.. stages.Select(node => new PlacementNode(node.Name, speeds[node.Name], node.MemoryBytes, holds(node.Name)))],
            Keepers = keepers,
            Objects = _attempt!.Objects,
            KeepStages = _lastPlan?.Stages.Count ?? 0,
            Suspects = suspects,
        };
    }
}
