using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Common;
using ActorTrainer.Tests.Actors;
using Akka.Actor;

namespace ActorTrainer.Tests.Protocol;

/// <summary>Sends some payloads twice, as a link does that is resumed a little too early.</summary>
internal sealed class DoublingPlane(IDataPlane plane, LossPlan plan) : IDataPlane
{
    public void Join(string run, int attempt, int stage, IActorRef receiver, IReadOnlyList<string> peers) => plane.Join(run, attempt, stage, receiver, peers);

    public void Send(int from, int to, TransferKey key, IPayload payload)
    {
        var random = CounterRandom.Of(plan.Seed, RandomPurpose.SampleText, key.Step, key.MicroBatch, key.Part);
        if (random.NextDouble() < plan.Twice)
        {
            plane.Send(from, to, key, new NumberPayload(((NumberPayload)payload).Values));
        }

        plane.Send(from, to, key, payload);
    }
}
