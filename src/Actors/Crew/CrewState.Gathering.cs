using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Stages;

namespace ActorTrainer.Actors.Crew;

/// <content>From <see cref="CrewProtocol.Assemble"/> to a crew: ask all nodes, wait for those that answer, place the run on them.</content>
public sealed partial class CrewState
{
    private const int Askings = 3;

    private Gathering? _gathering;

    private void Gather(Gathering gathering, double now)
    {
        if (_hold is { } hold)
        {
            gathering.Asked.Clear();
            Wait(gathering, hold);
            return;
        }

        foreach (var node in _usable.Values.Where(node => !HasAnswered(gathering, node)))
        {
            AskAgain(gathering, node, now);
        }

        if (!IsReady(gathering, now))
        {
            return;
        }

        var answers = _usable.Values.Where(node => HasAnswered(gathering, node)).Select(node => gathering.Answers[node.Report.Name]).ToList();
        var stages = answers.Where(answer => answer.Node.IsStage && answer.Actor.Length > 0).ToList();
        if (answers.Count == 0)
        {
            Wait(gathering, _usable.Count > 0 ? "no node answers" : "there is no node: start one");
        }
        else if (_holders.Missing(_attempt!.Objects, needs.Units.Concat(_attempt.Objects.Keys.Where(BaseObjects.IsBase)), answers) is { } missing)
        {
            Wait(gathering, missing);
        }
        else if (stages.Count == 0)
        {
            Wait(gathering, _usable.Values.Any(node => node.Report.IsStage) ? "no stage node answers" : "there is no stage node: start one");
        }
        else
        {
            Place(gathering, answers, stages, now);
        }
    }

    /// <summary>Whether everybody has answered or had the time to; the first crew also waits until no more nodes turn up.</summary>
    private bool IsReady(Gathering gathering, double now)
    {
        var pending = _usable.Values.Where(node => !HasAnswered(gathering, node))
            .Select(node => gathering.Asked[node.Report.Name].First + needs.EngageTimeout.TotalSeconds)
            .Append(_usable.Count == 0 ? gathering.Began + needs.EngageTimeout.TotalSeconds : now)
            .Max();
        var settled = _lastPlan is not null || IsComplete() || !_heardOfNodes
            ? now
            : Math.Max(_lastAppeared, gathering.Began) + needs.Settle.TotalSeconds;
        var ready = Math.Max(pending, settled);
        if (ready > now)
        {
            WakeBy(ready);
        }

        return ready <= now;

        bool IsComplete() => needs.Stages > 0
            && _usable.Values.Count(node => node.Report.IsStage && HasAnswered(gathering, node)) >= needs.Stages + needs.Spares;
    }

    private void Place(Gathering gathering, IReadOnlyList<NodeProtocol.Engaged> answers, IReadOnlyList<NodeProtocol.Engaged> stages, double now)
    {
        var suspects = _suspicions.At(now);
        var byName = answers.ToDictionary(answer => answer.Node.Name, StringComparer.Ordinal);
        IReadOnlyCollection<string> Holds(string name) => byName.TryGetValue(name, out var answer) ? answer.Holds.ToHashSet() : [];
        var result = Placement.Of(Problem([.. stages.Select(answer => answer.Node)], Holds, [.. byName.Keys], suspects));
        if (result.Plan is not { } plan)
        {
            Refuse(gathering, result.Refusal, stages, Holds);
            return;
        }

        var lost = _lastPlan?.Stages.Select(stage => stage.Node).Where(name => stages.All(stage => stage.Node.Name != name)).Order(StringComparer.Ordinal).ToList() ?? [];
        var patience = gathering.Began + needs.WaitForNode.TotalSeconds;
        if (lost.Count > 0 && plan.Stages.Count < _lastPlan!.Stages.Count && now < patience)
        {
            Wait(gathering, $"{string.Join(", ", lost)} {(lost.Count == 1 ? "is" : "are")} away and there is no spare; going on with "
                + $"{plan.Stages.Count} stage{(plan.Stages.Count == 1 ? "" : "s")} if nobody comes within {needs.WaitForNode.TotalSeconds:0.#} s");
            WakeBy(patience);
            return;
        }

        Sit(gathering, plan, byName, stages, suspects);
    }

    private void Sit(
        Gathering gathering,
        PlacementPlan plan,
        IReadOnlyDictionary<string, NodeProtocol.Engaged> answers,
        IReadOnlyList<NodeProtocol.Engaged> stages,
        IReadOnlySet<NodePair> suspects)
    {
        var attempt = _attempt!;
        IReadOnlyList<NodeProtocol.Engaged> players = [.. plan.Stages.Select(stage => answers[stage.Node])];
        var sources = attempt.Objects.Values.Distinct().ToDictionary(
            hash => hash,
            IReadOnlyList<string> (hash) => [.. answers.Values.Where(answer => answer.Holds.Contains(hash)).Select(answer => answer.Node.DataAddress)]);
        _actions.Add(new CrewAction.Seat(
            attempt.Run, attempt.Attempt, plan, players, answers.Values.ToDictionary(answer => answer.Node.Name, answer => answer.Node.DataAddress), sources));
        _seated = new Seated(
            plan,
            players,
            plan.Stages.SelectMany(stage => stage.Replicas).Distinct().Select(name => answers[name].Node).ToList(),
            stages.ToDictionary(answer => answer.Node.Name, answer => answer.Node.Incarnation),
            _usable.Values.Where(node => !HasAnswered(gathering, node)).ToDictionary(node => node.Report.Name, node => node.Report.Incarnation),
            suspects);
        _lastPlan = plan;
        _gathering = null;
    }

    /// <summary>Nodes that were seen in this run and are away may come back; without hope for them the run is refused.</summary>
    private void Refuse(Gathering gathering, string refusal, IReadOnlyList<NodeProtocol.Engaged> stages, Func<string, IReadOnlyCollection<string>> holds)
    {
        var away = _everSeen.Values.Where(node => stages.All(stage => stage.Node.Name != node.Name)).ToList();
        if (away.Count > 0 && Placement.Of(Problem([.. stages.Select(s => s.Node), .. away], holds, [], new HashSet<NodePair>())).Plan is not null)
        {
            Wait(gathering, $"{refusal} It would fit with {string.Join(", ", away.Select(node => node.Name))}, away now.");
            return;
        }

        _gathering = null;
        Say(new CrewProtocol.Impossible(_attempt!.Run, _attempt.Attempt, refusal));
    }

    private void AskAgain(Gathering gathering, KnownNode node, double now)
    {
        var (name, incarnation) = (node.Report.Name, node.Report.Incarnation);
        var interval = needs.EngageTimeout.TotalSeconds / Askings;
        if (!gathering.Asked.TryGetValue(name, out var asked) || asked.Incarnation != incarnation)
        {
            asked = (incarnation, now, double.NegativeInfinity);
        }

        if (now >= asked.Last + interval)
        {
            asked.Last = now;
            _actions.Add(new CrewAction.Ask(node, new NodeProtocol.Engage(_attempt!.Run, _attempt.Attempt, [.. _attempt.Objects.Values.Distinct()])));
        }

        gathering.Asked[name] = asked;
        WakeBy(asked.Last + interval);
    }

    private void Wait(Gathering gathering, string reason)
    {
        if (gathering.Reason != reason)
        {
            gathering.Reason = reason;
            Say(new CrewProtocol.Waiting(_attempt!.Run, _attempt.Attempt, reason));
        }
    }

    private static bool HasAnswered(Gathering gathering, KnownNode node) =>
        gathering.Answers.TryGetValue(node.Report.Name, out var answer) && answer.Node.Incarnation == node.Report.Incarnation;

    private sealed class Gathering(double began)
    {
        public double Began { get; } = began;

        /// <summary>Node → process that was asked, when first and when last.</summary>
        public Dictionary<string, (string Incarnation, double First, double Last)> Asked { get; } = [];

        public Dictionary<string, NodeProtocol.Engaged> Answers { get; } = [];

        /// <summary>What was last said of why this takes so long.</summary>
        public string Reason { get; set; } = "";
    }
}
