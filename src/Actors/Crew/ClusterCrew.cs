using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using Akka.Actor;

namespace ActorTrainer.Actors.Crew;

/// <summary>
/// A run's crew on the nodes of a cluster; child of the run's coordinator. Sends what <see cref="CrewState"/> decides and keeps its timer.
/// </summary>
public sealed class ClusterCrew : ReceiveActor, IWithTimers
{
    private readonly IActorRef _registry;
    private readonly RunClock _clock;
    private readonly CrewState _state;

    /// <summary>Creates the actor.</summary>
    /// <param name="registry">Knows the nodes; see <see cref="RegistryProtocol"/>.</param>
    /// <param name="needs">What the run needs.</param>
    /// <param name="time">Source of time stamps.</param>
    public ClusterCrew(IActorRef registry, CrewNeeds needs, TimeProvider time)
    {
        _registry = registry;
        _clock = new RunClock(time);
        _state = new CrewState(needs);
        Receive<RegistryProtocol.Nodes>(nodes => Do(_state.Apply(nodes, _clock.Seconds)));
        Receive<CrewProtocol.Assemble>(assemble => Do(_state.Apply(assemble, _clock.Seconds)));
        Receive<NodeProtocol.Engaged>(answer => Do(_state.Apply(answer, _clock.Seconds)));
        Receive<CrewProtocol.Measured>(measured => Do(_state.Apply(measured, _clock.Seconds)));
        Receive<CrewProtocol.Suspect>(suspect => Do(_state.Apply(suspect, _clock.Seconds)));
        Receive<CrewProtocol.Keep>(OnKeep);
        Receive<WakeUp>(_ => Do(_state.Wake(_clock.Seconds)));
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!; // set by Akka

    /// <inheritdoc/>
    protected override void PreStart() => _registry.Tell(new RegistryProtocol.Subscribe());

    private void OnKeep(CrewProtocol.Keep keep)
    {
        _state.Apply(keep);
        if (keep.Ended)
        {
            _registry.Tell(keep); // for nodes that are away now
        }

        foreach (var node in _state.Usable)
        {
            node.Agent.Tell(new NodeProtocol.Keep(keep.Run, node.Report.Incarnation, keep.Step, keep.Hashes, keep.Ended));
        }
    }

    private void Do(IReadOnlyList<CrewAction> actions)
    {
        foreach (var action in actions)
        {
            switch (action)
            {
                case CrewAction.Ask ask:
                    ask.Node.Agent.Tell(ask.Engage);
                    break;
                case CrewAction.Say say:
                    Context.Parent.Tell(say.Message);
                    break;
                case CrewAction.Seat seat:
                    Context.Parent.Tell(Assembled(seat));
                    break;
            }
        }

        if (_state.WakeAt is { } at)
        {
            Timers.StartSingleTimer(WakeUp.Key, new WakeUp(), TimeSpan.FromSeconds(Math.Max(0.001, at - _clock.Seconds)));
        }
        else
        {
            Timers.Cancel(WakeUp.Key);
        }
    }

    private static CrewProtocol.Assembled Assembled(CrewAction.Seat seat) => new(
        seat.Run, seat.Attempt, seat.Plan.PartSizes,
        [.. seat.Plan.Stages.Select((stage, i) => new CrewProtocol.Seat(
            ((ExtendedActorSystem)Context.System).Provider.ResolveActorRef(seat.Players[i].Actor),
            stage.Node,
            seat.Players[i].Node.DataAddress,
            [.. stage.Replicas.Select(name => seat.Addresses[name])]))],
        seat.Sources);

    private sealed record WakeUp : INoSerializationVerificationNeeded
    {
        public static readonly string Key = "wake";
    }
}
