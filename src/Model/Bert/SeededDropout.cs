using ActorTrainer.Model.Common;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Bert;

/// <summary>Dropout whose mask is a function of (seed, step, micro-batch, unit, site) alone: equal for every cut and in recomputation.</summary>
internal static class SeededDropout
{
    /// <summary>Zeroes elements with probability <paramref name="probability"/> and scales the others to keep the mean; the identity outside training.</summary>
    public static Tensor Apply(Tensor x, double probability, in ForwardContext context, int unit, int site)
    {
        if (probability <= 0 || !context.Training)
        {
            return x;
        }

        using var generator = new Generator(
            CounterRandom.Key(context.Seed, RandomPurpose.Dropout, Stream(unit, site), context.Step, context.MicroBatch), CPU);
        var keep = 1 - probability;
        var mask = empty(x.shape, ScalarType.Float32, CPU).bernoulli_(keep, generator).mul_(1 / keep);
        return x.mul(mask.to(x.dtype, x.device));
    }

    /// <summary>Sites 0 to 3 keep the numbers that pre-training began with.</summary>
    private static long Stream(int unit, int site) => site < 4 ? unit * 4L + site : ((long)site << 32) + unit;
}
