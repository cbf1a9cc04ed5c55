using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Protocol;
using Akka.Actor;

namespace ActorTrainer.Actors.Coordination;

/// <summary>Deals the micro-batches of a step to the first and the last part. A failure goes to the coordinator as that of a stage would.</summary>
public sealed class BatchDealer : ReceiveActor
{
    private readonly IBatchSource _source;
    private readonly IDataPlane _plane;
    private readonly int _stages;
    private readonly int _lastPart;

    /// <summary>Creates the actor.</summary>
    public BatchDealer(IBatchSource source, IDataPlane plane, int stages, int parts)
    {
        _source = source;
        _plane = plane;
        _stages = stages;
        _lastPart = parts - 1;
        Receive<DealerProtocol.Deal>(OnDeal);
    }

    private void OnDeal(DealerProtocol.Deal deal)
    {
        try
        {
            var first = deal.First;
            for (var i = 0; i < deal.Rows.Count; i++)
            {
                var (inputs, targets) = deal.Phase == Phase.Train
                    ? _source.Take(first, deal.Rows[i], deal.Step)
                    : _source.TakeHeldOut(first, deal.Rows[i]);
                var key = new TransferKey(deal.Run, deal.Attempt, deal.Step, deal.Phase, TransferKind.Activation, i, 0);
                _plane.Send(0, key, inputs);
                _plane.Send(_lastPart % _stages, key with { Kind = TransferKind.Targets, Part = _lastPart }, targets);
                first += deal.Rows[i];
            }
        }
        catch (Exception e)
        {
            Sender.Tell(new StageProtocol.Failed(deal.Run, deal.Attempt, deal.Step, -1, "dealing out the batch", $"{e.GetType().Name}: {e.Message}"));
        }
    }
}
