using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using Akka.Actor;

namespace ActorTrainer.Actors.Nodes;

/// <summary>
/// Looks on at a run: asks to be told each second, the coordinator that answered last and the nodes in turn, and tells the observer.
/// </summary>
internal sealed class ClientWatch : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan Renew = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    private readonly IRunObserver _observer;
    private readonly TimeProvider _time;
    private IActorRef _coordinator = ActorRefs.Nobody;
    private ClientProtocol.Attempt? _attempt;
    private long _heardAt;
    private bool _silent;
    private int _next;

    /// <summary>Creates the actor.</summary>
    public ClientWatch(
        string name, IReadOnlyList<ActorSelection> agents, IRunObserver observer, TimeProvider time, TaskCompletionSource<RunProtocol.Outcome> outcome)
    {
        (_observer, _time, _heardAt) = (observer, time, time.GetTimestamp());
        Receive<Tick>(_ => OnTick(new ClientProtocol.Watch(name), agents));
        Receive<ClientProtocol.Watching>(_ => Heard(), m => m.Name == name);
        Receive<ClientProtocol.Attempt>(OnAttempt, m => m.Name == name);
        Receive<ClientProtocol.Ended>(m => outcome.TrySetResult(m.Outcome), m => m.Name == name);
        Receive<ClientProtocol.IFeed>(
            message =>
            {
                if (FeedObserver.Replay(message, observer))
                {
                    Heard();
                }
            },
            m => m.Name == name && m is not ClientProtocol.Attempt);
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!; // set by Akka

    /// <inheritdoc/>
    protected override void PreStart() => Timers.StartPeriodicTimer("renew", new Tick(), TimeSpan.Zero, Renew);

    private void OnTick(ClientProtocol.Watch watch, IReadOnlyList<ActorSelection> agents)
    {
        if (!_silent && _time.GetElapsedTime(_heardAt) > Silence)
        {
            _silent = true;
            _observer.OnNotice($"the coordinator has been silent for {Silence.TotalSeconds:F0} s; waiting for it, or for another one to take over");
        }

        _coordinator.Tell(watch);
        agents[_next++ % agents.Count].Tell(watch, Self);
    }

    /// <summary>The same attempt may be told again after a silence: it is news only once.</summary>
    private void OnAttempt(ClientProtocol.Attempt attempt)
    {
        Heard();
        if (attempt != _attempt)
        {
            _attempt = attempt;
            _observer.OnAttempt(attempt.Number, attempt.FromStep);
        }
    }

    private void Heard()
    {
        (_coordinator, _heardAt) = (Sender, _time.GetTimestamp());
        if (_silent)
        {
            _silent = false;
            _observer.OnNotice("the coordinator answers again");
        }
    }

    private sealed record Tick : INoSerializationVerificationNeeded;
}
