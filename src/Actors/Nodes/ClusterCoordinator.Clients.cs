using ActorTrainer.Actors.Protocol;
using Akka.Actor;

namespace ActorTrainer.Actors.Nodes;

/// <content>Clients: they submit, look on, stop and ask.</content>
public sealed partial class ClusterCoordinator
{
    private readonly Dictionary<IActorRef, (string Name, double Until)> _watchers = [];

    private void CommandClients()
    {
        Command<ClientProtocol.Submit>(OnSubmit);
        Command<ClientProtocol.Watch>(OnWatch);
        Command<ClientProtocol.Stop>(OnStop);
        Command<ClientProtocol.AskStatus>(_ => OnAskStatus());
        Command<Asked>(OnAsked);
    }

    private void OnSubmit(ClientProtocol.Submit submit)
    {
        if (_slot is { } slot)
        {
            Sender.Tell(new ClientProtocol.SubmitReply(submit.Name, submit.Name == slot.Name
                ? ""
                : $"Run '{slot.Name}' is under way ({slot.Doing}); a cluster works on one run at a time. "
                    + $"Wait for its end or stop it: actortrainer stop name={slot.Name}"));
            return;
        }

        var sender = Sender;
        Record(new ClusterEvents.Submitted(submit.Name, submit.Settings), () =>
        {
            sender.Tell(new ClientProtocol.SubmitReply(submit.Name, ""));
            Begin(_state.Current!);
        });
    }

    private void OnWatch(ClientProtocol.Watch watch)
    {
        if (watch.Name != _slot?.Name)
        {
            Sender.Tell(new ClientProtocol.Ended(watch.Name, _state.Outcomes.TryGetValue(watch.Name, out var outcome)
                ? outcome
                : new RunProtocol.Outcome(OutcomeKind.Refused, 0, $"The cluster knows no run '{watch.Name}'; submit it first.", "")));
            return;
        }

        var isNew = !_watchers.TryGetValue(Sender, out var watcher) || watcher.Name != watch.Name || watcher.Until < Now;
        _watchers[Sender] = (watch.Name, Now + _settings.WatchLease.TotalSeconds);
        Sender.Tell(new ClientProtocol.Watching(watch.Name, _slot.Doing));
        if (isNew && _slot.Attempt is { } attempt)
        {
            Sender.Tell(attempt);
        }
    }

    private void OnStop(ClientProtocol.Stop stop)
    {
        var refusal = stop.Name == _slot?.Name ? ""
            : _slot is { } other ? $"Run '{stop.Name}' is not under way; '{other.Name}' is."
            : $"Run '{stop.Name}' is not under way; no run is.";
        if (refusal.Length == 0 && _slot is { } slot)
        {
            slot.Stopping = true;
            slot.Coordinator.Tell(new RunProtocol.Stop());
            if (slot.Services is null)
            {
                slot.Cancel();
            }
        }

        Sender.Tell(new ClientProtocol.SubmitReply(stop.Name, refusal));
    }

    private void OnAskStatus()
    {
        var sender = Sender;
        if (_slot is not { } slot || slot.Coordinator.IsNobody())
        {
            sender.Tell(Status(_slot is { } waiting ? Estimate(waiting, waiting.Doing) : LastRun()));
            return;
        }

        slot.Coordinator.Ask<RunStatus>(new RunProtocol.AskStatus(), _settings.StatusPatience).PipeTo(
            Self,
            success: status => new Asked(sender, status),
            failure: _ => new Asked(sender, Estimate(slot, $"{slot.Doing}; its coordinator does not answer")));
    }

    private void OnAsked(Asked asked) =>
        asked.Sender.Tell(Status(_told.Hold is { } hold ? asked.Run with { State = $"waits: {hold}" } : asked.Run));

    private ClientProtocol.Status Status(RunStatus? run) => new(_state.Term, _settings.Node, [.. _registry.Nodes.Values.Select(Describe)], run);

    private NodeStatus Describe(NodeEntry entry)
    {
        var report = entry.Known.Report;
        var state = !_registry.IsUsable(entry, Now) ? "lost"
            : report.Doing.Length > 0 ? report.Doing
            : report.IsStage ? "free"
            : report.Name == _settings.Node ? "coordinates" : "usable";
        return new NodeStatus(report, Math.Max(0, Now - entry.HeardAt), state);
    }

    private RunStatus? LastRun() => _state.Outcomes.TryGetValue(_state.Last, out var outcome)
        ? new RunStatus(
            _state.Last, $"{outcome.Kind.ToString().ToLowerInvariant()}: {outcome.Message}", 0, outcome.Step, outcome.Step,
            outcome.Kind == OutcomeKind.Completed ? 1 : 0, [])
        : null;

    private static RunStatus Estimate(RunSlot slot, string doing) =>
        new(slot.Name, doing, slot.Attempt?.Number ?? 0, slot.Step, slot.Attempt?.FromStep ?? 0, 0, []);

    private void Publish(string name, IWire message)
    {
        foreach (var (watcher, (watched, until)) in _watchers.ToList())
        {
            if (until < Now)
            {
                _watchers.Remove(watcher);
            }
            else if (watched == name)
            {
                watcher.Tell(message);
            }
        }
    }

    private sealed record Asked(IActorRef Sender, RunStatus Run) : INoSerializationVerificationNeeded;
}
