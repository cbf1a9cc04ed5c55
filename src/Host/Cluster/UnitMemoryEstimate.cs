using ActorTrainer.Actors.Nodes;
using ActorTrainer.Model.Bert;

namespace ActorTrainer.Host.Cluster;

/// <summary>What each unit needs in memory, in float32.</summary>
internal static class UnitMemoryEstimate
{
    /// <summary>Bytes of a weight with its gradient and both moments.</summary>
    private const long PerWeight = 16;

    /// <summary>Estimates for the units in order.</summary>
    /// <param name="rows">Sequences of a micro-batch.</param>
    /// <param name="recompute">Only inputs are kept between forward and backward.</param>
    public static IReadOnlyList<UnitMemory> Of(BertConfig arch, int rows, bool recompute)
    {
        long hidden = arch.Hidden, feedForward = arch.FeedForward, tokens = (long)rows * arch.Sequence;
        var table = arch.Vocabulary * hidden;
        var layer = 4 * hidden * hidden + feedForward * hidden + feedForward / 2 * hidden + 4 * hidden;
        var input = 4 * tokens * hidden;
        var kept = recompute ? input : 4 * tokens * (10 * hidden + 2 * feedForward) + 8L * rows * arch.Heads * arch.Sequence * arch.Sequence;
        return
        [
            new((table + 2 * hidden + 1) * PerWeight, recompute ? 8 * tokens : 3 * input),
            .. Enumerable.Repeat(new UnitMemory(layer * PerWeight, kept), arch.Layers),
            new((table + 2 * hidden) * PerWeight, recompute ? input : 2 * input + 8 * tokens * arch.Vocabulary / 4),
        ];
    }
}
