using ActorTrainer.Model.Common;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Bert;

/// <summary>
/// Starting values of learned tensors. Every random tensor has a generator of its own, keyed by (seed, unit, parameter), and
/// is drawn on the CPU in float32: it depends on nothing else that was built, nor on device, element type or cut.
/// </summary>
internal static class InitialWeights
{
    /// <summary>A leaf drawn from N(0, <paramref name="std"/>); row <paramref name="zeroRow"/>, if given, is zero.</summary>
    public static Tensor Normal(double std, ulong seed, int unit, int parameter, ScalarType dtype, Device? device, long[] shape, int? zeroRow = null)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var generator = new Generator(CounterRandom.Key(seed, RandomPurpose.Initialisation, unit, parameter), CPU);
        var drawn = empty(shape, ScalarType.Float32, CPU).normal_(0, std, generator);
        if (zeroRow is { } row)
        {
            drawn.select(0, row).zero_();
        }

        return Leaf(drawn.to(dtype, device ?? CPU));
    }

    /// <summary>A leaf drawn uniformly from ±<paramref name="bound"/>.</summary>
    public static Tensor Uniform(double bound, ulong seed, int unit, int parameter, ScalarType dtype, Device? device, params long[] shape)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var generator = new Generator(CounterRandom.Key(seed, RandomPurpose.Initialisation, unit, parameter), CPU);
        return Leaf(empty(shape, ScalarType.Float32, CPU).uniform_(-bound, bound, generator).to(dtype, device ?? CPU));
    }

    /// <summary>A leaf filled with <paramref name="value"/>.</summary>
    public static Tensor Constant(double value, ScalarType dtype, Device? device, params long[] shape) =>
        Leaf(full(shape, value, dtype, device ?? CPU));

    /// <summary>Requires a gradient, and outlives every scope.</summary>
    private static Tensor Leaf(Tensor value) => value.requires_grad_().DetachFromDisposeScope();
}
