using ActorTrainer.Actors.Protocol;
using Akka.Actor;

namespace ActorTrainer.Actors.Nodes;

/// <summary>Puts one question to the agents in turn until the answer is there.</summary>
/// <typeparam name="T">Type of the answer.</typeparam>
internal sealed class ClientQuestion<T> : ReceiveActor, IWithTimers
    where T : class
{
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(700);

    /// <summary>Creates the actor.</summary>
    public ClientQuestion(IWire question, IReadOnlyList<ActorSelection> agents, TaskCompletionSource<T> answer)
    {
        var next = 0;
        Receive<Tick>(_ => agents[next++ % agents.Count].Tell(question, Self));
        Receive<T>(found => answer.TrySetResult(found));
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!; // set by Akka

    /// <inheritdoc/>
    protected override void PreStart() => Timers.StartPeriodicTimer("ask", new Tick(), TimeSpan.Zero, Again);

    private sealed record Tick : INoSerializationVerificationNeeded;
}
