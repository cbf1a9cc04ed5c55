using System.Collections.Concurrent;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Common;
using Akka.Actor;

namespace ActorTrainer.Tests.Protocol;

/// <summary>How badly the messages of one test fare.</summary>
/// <param name="Seed">Decides which messages.</param>
/// <param name="Loss">Share of messages that are lost.</param>
/// <param name="Twice">Share of the others that come twice.</param>
/// <param name="Late">Share of the copies that are overtaken by later messages.</param>
internal sealed record LossPlan(ulong Seed, double Loss, double Twice, double Late)
{
    private int _links;

    /// <summary>The stage actors behind the relays, by stage.</summary>
    public ConcurrentDictionary<int, IActorRef> Stages { get; } = new();

    /// <summary>Messages lost so far, of all relays.</summary>
    public ConcurrentBag<object> Lost { get; } = [];

    /// <summary>Number of the next link.</summary>
    public int NextLink() => Interlocked.Increment(ref _links);
}

/// <summary>Stands before an actor: loses, doubles and delays what is sent to it, and in the same way what it answers.</summary>
internal sealed class LossyRelay : ReceiveActor
{
    private const int LongestDelay = 30;

    private readonly Dictionary<IActorRef, IActorRef> _back = [];
    private readonly LossPlan _plan;
    private CounterRandom _random;

    public LossyRelay(IActorRef target, LossPlan plan)
    {
        _plan = plan;
        _random = CounterRandom.Of(plan.Seed, RandomPurpose.SampleText, plan.NextLink());
        ReceiveAny(message =>
        {
            var sender = Back(Sender);
            if (_random.NextDouble() < plan.Loss)
            {
                plan.Lost.Add(message);
                return;
            }

            var copies = _random.NextDouble() < plan.Twice ? 2 : 1;
            for (var copy = 0; copy < copies; copy++)
            {
                if (_random.NextDouble() < plan.Late)
                {
                    Context.System.Scheduler.ScheduleTellOnce(TimeSpan.FromMilliseconds(1 + _random.NextInt(LongestDelay)), target, message, sender);
                }
                else
                {
                    target.Tell(message, sender);
                }
            }
        });
    }

    private IActorRef Back(IActorRef sender)
    {
        if (!_back.TryGetValue(sender, out var relay))
        {
            _back[sender] = relay = Context.ActorOf(Props.Create(() => new LossyRelay(sender, _plan)));
        }

        return relay;
    }
}

/// <summary>A crew whose seats are relays before the actors of the crew given.</summary>
internal sealed class LossyCrew : ReceiveActor
{
    private readonly Dictionary<IActorRef, IActorRef> _relays = [];

    public LossyCrew(Props crew, LossPlan plan)
    {
        var inner = Context.ActorOf(crew);
        Receive<CrewProtocol.Assembled>(assembled => Context.Parent.Tell(assembled with
        {
            Seats = [.. assembled.Seats.Select((seat, stage) => seat with { Actor = Relay(plan.Stages[stage] = seat.Actor, plan) })],
        }));
        Receive<CrewProtocol.Lost>(lost => Context.Parent.Tell(lost));
        ReceiveAny(message => inner.Tell(message));
    }

    private IActorRef Relay(IActorRef stage, LossPlan plan)
    {
        if (!_relays.TryGetValue(stage, out var relay))
        {
            _relays[stage] = relay = Context.ActorOf(Props.Create(() => new LossyRelay(stage, plan)));
        }

        return relay;
    }
}
