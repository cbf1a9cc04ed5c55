using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Actors.Crew;

/// <content>While an attempt runs: is somebody lost, is a better crew at hand?</content>
public sealed partial class CrewState
{
    /// <summary>A move costs a checkpoint and a new attempt: with as many stages it must make steps this much faster.</summary>
    public const double ClearlyFaster = 1.15;

    private Seated? _seated;

    private void Watch(Seated seated, double now)
    {
        if (seated.SaidLost)
        {
            return;
        }

        if ((_hold ?? Loss(seated)) is { } reason)
        {
            seated.SaidLost = true;
            Say(new CrewProtocol.Lost(_attempt!.Run, _attempt.Attempt, reason));
        }
        else if (!seated.SaidChanged)
        {
            LookForBetter(seated, now);
        }
    }

    private string? Loss(Seated seated)
    {
        foreach (var (player, stage) in seated.Players.Select((player, stage) => (player.Node, stage)))
        {
            if (!_usable.TryGetValue(player.Name, out var node))
            {
                return $"node {player.Name} (stage {stage}) was lost: it no longer beats";
            }

            if (node.Report.Incarnation != player.Incarnation)
            {
                return $"node {player.Name} (stage {stage}) was restarted";
            }
        }

        // Without its keepers a stage cannot commit, so the attempt would fail at the next checkpoint anyway.
        return seated.Keepers.FirstOrDefault(keeper => !_usable.TryGetValue(keeper.Name, out var node) || node.Report.DataAddress != keeper.DataAddress) is { } lost
            ? $"node {lost.Name}, which keeps copies, was lost"
            : null;
    }

    /// <summary>A new node, or an end of suspicion, must make for a better plan for a while, so that nodes starting together cause one move.</summary>
    private void LookForBetter(Seated seated, double now)
    {
        var suspects = _suspicions.At(now);
        var cleared = seated.Suspects.Except(suspects).Any();
        var newcomers = _usable.Values.Select(node => node.Report).Where(node => node.IsStage
            && !(seated.Present.TryGetValue(node.Name, out var incarnation) && incarnation == node.Incarnation)
            && !seated.Silent.ContainsKey(node.Name)).ToList();
        if (_suspicions.NextEnd is { } end && seated.Suspects.Count > 0)
        {
            WakeBy(end);
        }

        if (newcomers.Count == 0 && !cleared)
        {
            seated.Forget();
            return;
        }

        var seen = string.Join(' ', newcomers.Select(node => node.Incarnation).Append($"{suspects.Count}"));
        if (seated.Judged != seen)
        {
            seated.Judged = seen;
            seated.Better = Better(seated, newcomers, cleared, suspects);
            seated.BetterSince = now;
        }

        if (seated.Better is not { } better)
        {
            return;
        }

        if (now < seated.BetterSince + needs.Settle.TotalSeconds)
        {
            WakeBy(seated.BetterSince + needs.Settle.TotalSeconds);
            return;
        }

        seated.SaidChanged = true;
        Say(new CrewProtocol.Changed(_attempt!.Run, _attempt.Attempt, better));
    }

    /// <summary>Why to move, null when not.</summary>
    private string? Better(Seated seated, IReadOnlyList<NodeReport> newcomers, bool cleared, IReadOnlySet<NodePair> suspects)
    {
        var nodes = _usable.Values.Select(node => node.Report).Where(node => node.IsStage && !seated.Silent.ContainsKey(node.Name)).ToList();
        if (Placement.Of(Problem(nodes, _ => [], [], suspects)).Plan is not { } plan)
        {
            return null;
        }

        var used = newcomers.Where(node => plan.Stages.Any(stage => stage.Node == node.Name)).Select(node => node.Name).ToList();
        if (used.Count == 0 && !cleared)
        {
            return null;
        }

        var speeds = _speeds.Relative(nodes);
        var now = PipelineTime.Step(
            [.. seated.Plan.Stages.Select(stage => stage.Units.Sum(unit => needs.UnitSeconds[unit]) / speeds[stage.Node])], needs.MicroBatches, needs.Chunks);
        var stages = plan.Stages.Count > seated.Plan.Stages.Count;
        if (!stages && plan.StepSeconds * ClearlyFaster > now)
        {
            return null;
        }

        var who = used.Count > 0 ? $"{string.Join(", ", used)} can be used" : "a link that broke may be whole again";
        return stages
            ? $"{who}: {plan.Stages.Count} stages instead of {seated.Plan.Stages.Count}"
            : $"{who}: steps {now / plan.StepSeconds:F1} times as fast";
    }

    /// <param name="plan">Who plays what.</param>
    /// <param name="players">Answer of each seat's node.</param>
    /// <param name="keepers">Nodes that hold copies.</param>
    /// <param name="present">Stage node → process that was there when the plan was made.</param>
    /// <param name="silent">Node → process that beats but did not answer: no newcomer until it does.</param>
    /// <param name="suspects">Links that the plan was to avoid.</param>
    private sealed class Seated(
        PlacementPlan plan,
        IReadOnlyList<NodeProtocol.Engaged> players,
        IReadOnlyList<NodeReport> keepers,
        IReadOnlyDictionary<string, string> present,
        Dictionary<string, string> silent,
        IReadOnlySet<NodePair> suspects)
    {
        private bool _measured;

        public PlacementPlan Plan { get; } = plan;

        public IReadOnlyList<NodeProtocol.Engaged> Players { get; } = players;

        public IReadOnlyList<NodeReport> Keepers { get; } = keepers;

        public IReadOnlyDictionary<string, string> Present { get; } = present;

        public Dictionary<string, string> Silent { get; } = silent;

        public IReadOnlySet<NodePair> Suspects { get; } = suspects;

        public bool SaidLost { get; set; }

        public bool SaidChanged { get; set; }

        public string Judged { get; set; } = "";

        public string? Better { get; set; }

        public double BetterSince { get; set; }

        public void Forget() => (Judged, Better) = ("", null);

        /// <summary>False for the first step, in which everything is cold.</summary>
        public bool WarmedUp() => _measured || !(_measured = true);
    }
}
