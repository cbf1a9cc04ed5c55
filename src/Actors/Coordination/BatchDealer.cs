using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using Akka.Actor;

namespace ActorTrainer.Actors.Coordination;

/// <summary>Deals the micro-batches of a step to the first and the last part. A failure goes to the coordinator as that of a stage would.</summary>
public sealed class BatchDealer : ReceiveActor
{
    private readonly IBatchSource _source;
    private readonly IDataPlane _plane;

    /// <summary>Creates the actor.</summary>
    public BatchDealer(IBatchSource source, IDataPlane plane)
    {
        _source = source;
        _plane = plane;
        Receive<Join>(join => plane.Join(join.Run, join.Attempt, IDataPlane.Dealer, Self, join.Peers));
        Receive<DealerProtocol.Deal>(OnDeal);
        Receive<LinkLost>(lost => Context.Parent.Tell(new StageProtocol.LinkDown(lost.Run, lost.Attempt, IDataPlane.Dealer, lost.Peer, lost.Reason)));
    }

    /// <summary>An attempt begins whose stages live at these data-plane addresses.</summary>
    internal sealed record Join(string Run, int Attempt, IReadOnlyList<string> Peers) : INoSerializationVerificationNeeded;

    private void OnDeal(DealerProtocol.Deal deal)
    {
        var topology = new PipelineTopology(deal.Stages, deal.Parts / deal.Stages);
        try
        {
            var first = deal.First;
            for (var i = 0; i < deal.Rows.Count; i++)
            {
                var (inputs, targets) = deal.Phase == Phase.Train
                    ? _source.Take(first, deal.Rows[i], deal.Step)
                    : _source.TakeHeldOut(first, deal.Rows[i]);
                var key = new TransferKey(deal.Run, deal.Attempt, deal.Step, deal.Phase, TransferKind.Activation, i, 0);
                _plane.Send(IDataPlane.Dealer, 0, key, inputs);
                _plane.Send(IDataPlane.Dealer, topology.HeadStage, key with { Kind = TransferKind.Targets, Part = topology.LastPart }, targets);
                first += deal.Rows[i];
            }
        }
        catch (Exception e)
        {
            Sender.Tell(new StageProtocol.Failed(deal.Run, deal.Attempt, deal.Step, -1, "dealing out the batch", $"{e.GetType().Name}: {e.Message}"));
        }
    }
}
