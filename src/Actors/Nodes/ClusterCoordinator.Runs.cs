using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Common;
using Akka.Actor;
using Akka.Event;

namespace ActorTrainer.Actors.Nodes;

/// <content>The run under way: prepared off the dispatcher, then played by a <see cref="RunCoordinator"/> of its own.</content>
public sealed partial class ClusterCoordinator
{
    /// <summary>Time in which the crew of a run that has ended tells the nodes so.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1);

    private RunSlot? _slot;
    private int _slots;

    private void CommandRuns()
    {
        Command<Fed>(OnFed, fed => fed.Slot == _slot?.Number);
        Command<Prepared>(done => Play(), done => done.Slot == _slot?.Number);
        Command<NotPrepared>(OnNotPrepared, done => done.Slot == _slot?.Number);
        Command<PlayAgain>(_ => Play(), again => again.Slot == _slot?.Number);
        Command<RunProtocol.Outcome>(OnOutcome, _ => Sender.Equals(_slot?.Coordinator));
    }

    private void Begin(ClusterEvents.Submitted submitted)
    {
        var slot = _slot = new RunSlot(submitted, ++_slots);
        var (self, settings) = (Self, _settings);
        Task.Factory.StartNew(
            () =>
            {
                var prepared = settings.Preparation.Prepare(slot.Name, slot.Settings, text => Feed(new ClientProtocol.Notice(slot.Name, text)), slot.Cancellation);
                slot.Keep(prepared);
                slot.Services = settings.Services(
                    prepared, new RunSurroundings(self, () => _told.Usable, new FeedObserver(slot.Name, prepared.Observer, Feed)));
            },
            slot.Cancellation,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).PipeTo(
            self,
            success: () => new Prepared(slot.Number),
            failure: error => new NotPrepared(slot.Number, error));

        void Feed(IWire message) => self.Tell(new Fed(slot.Number, message));
    }

    private void Play()
    {
        var (slot, services) = (_slot!, _slot!.Services!);
        slot.Coordinator = Context.Watch(Context.ActorOf(Akka.Actor.Props.Create(() => new RunCoordinator(services)), $"run-{slot.Number}-{Guid.NewGuid():N}"));
        slot.Coordinator.Tell(new RunProtocol.Start());
        slot.Doing = "begins";
        if (slot.Stopping)
        {
            slot.Coordinator.Tell(new RunProtocol.Stop());
        }
    }

    private void OnNotPrepared(NotPrepared done)
    {
        var error = done.Error is AggregateException { InnerException: { } inner } ? inner : done.Error;
        var outcome = error switch
        {
            OperationCanceledException => new RunProtocol.Outcome(OutcomeKind.Stopped, 0, "stopped while it was being prepared", ""),
            RefusedException => new RunProtocol.Outcome(OutcomeKind.Refused, 0, error.Message, ""),
            _ => new RunProtocol.Outcome(OutcomeKind.Failed, 0, $"it could not be prepared: {error.GetType().Name}: {error.Message}", ""),
        };
        if (outcome.Kind == OutcomeKind.Failed)
        {
            _log.Error(error, "Run {0} could not be prepared", _slot!.Name);
        }

        Record(new ClusterEvents.Ended(_slot!.Name, outcome), () => Finish(outcome));
    }

    private void OnOutcome(RunProtocol.Outcome outcome) =>
        Record(new ClusterEvents.Ended(_slot!.Name, outcome), () => Finish(outcome));

    private void Finish(RunProtocol.Outcome outcome)
    {
        var slot = _slot!;
        _slot = null;
        Publish(slot.Name, new ClientProtocol.Ended(slot.Name, outcome));
        if (!slot.Coordinator.IsNobody())
        {
            Context.Unwatch(slot.Coordinator);
            Context.System.Scheduler.ScheduleTellOnce(Farewell, slot.Coordinator, PoisonPill.Instance, Self);
        }

        slot.Dispose();
    }

    /// <summary>A run's coordinator stops by itself when its journal fails; the journal knows how far it was.</summary>
    private void OnRunDied(RunSlot slot)
    {
        slot.Coordinator = ActorRefs.Nobody;
        slot.Doing = "its coordinator ended unexpectedly (the log says why) and is made again";
        _log.Warning("The coordinator of run {0} ended unexpectedly and is made again", slot.Name);
        Publish(slot.Name, new ClientProtocol.Notice(slot.Name, slot.Doing));
        Timers.StartSingleTimer("again", new PlayAgain(slot.Number), _settings.RestartAfter);
    }

    private void OnFed(Fed fed)
    {
        var slot = _slot!;
        switch (fed.Message)
        {
            case ClientProtocol.Attempt attempt:
                (slot.Attempt, slot.Step, slot.Doing) = (attempt, attempt.FromStep, $"attempt {attempt.Number} from step {attempt.FromStep}");
                break;
            case ClientProtocol.Step step:
                (slot.Step, slot.Doing) = (step.Metrics.Step, $"step {step.Metrics.Step} done");
                break;
            case ClientProtocol.Notice notice:
                slot.Doing = notice.Text;
                break;
        }

        Publish(slot.Name, fed.Message);
    }

    private sealed record Fed(int Slot, IWire Message) : INoSerializationVerificationNeeded;

    private sealed record Prepared(int Slot) : INoSerializationVerificationNeeded;

    private sealed record NotPrepared(int Slot, Exception Error) : INoSerializationVerificationNeeded;

    private sealed record PlayAgain(int Slot) : INoSerializationVerificationNeeded;
}
