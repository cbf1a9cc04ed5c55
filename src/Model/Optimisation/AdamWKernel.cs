using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ActorTrainer.Model.Common;
using TorchSharp;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Optimisation;

/// <summary>
/// One AdamW step for float32 on the CPU, block by block instead of operation by operation: gradient, weight and both moments are
/// read and written once while a block lies in the cache. It rounds where libtorch's kernels round (their add and addcmul fuse multiply and
/// add), and the square root stays libtorch's, which is not the correctly rounded one of the processor. As that depends on the machine, the
/// kernel is used only where a trial run shows that it has the bits of the torch operations.
/// </summary>
internal static class AdamWKernel
{
    /// <summary>Elements of a block: five arrays of it fit into the second-level cache.</summary>
    public const int Block = 16_384;

    private static readonly Lazy<bool> Trial = new(() => Fma.IsSupported && Vector256.IsHardwareAccelerated && AgreesWithTorch());

    /// <summary>Whether this machine's libtorch gives the same bits.</summary>
    public static bool IsExact => Trial.Value;

    /// <summary>Steps one parameter, unless its tensors are not float32, contiguous and on the CPU.</summary>
    /// <param name="scratch">Float32 CPU tensor of <see cref="Block"/> elements.</param>
    /// <param name="decay">Factor for the parameter.</param>
    /// <returns>False: nothing was done.</returns>
    public static bool TryStep(Tensor parameter, Tensor gradient, AdamWState state, Tensor scratch, in AdamWScalars scalars, double decay)
    {
        if (!(Fits(parameter) && Fits(gradient) && Fits(state.ExpAvg) && Fits(state.ExpAvgSq) && parameter.numel() <= int.MaxValue / sizeof(float)))
        {
            return false;
        }

        var p = Floats(parameter);
        var g = Floats(gradient);
        var m = Floats(state.ExpAvg);
        var v = Floats(state.ExpAvgSq);
        var s = Floats(scratch);
        for (var from = 0; from < p.Length; from += Block)
        {
            var length = Math.Min(Block, p.Length - from);
            Moments(g.Slice(from, length), m.Slice(from, length), v.Slice(from, length), s[..length], scalars);
            using (var part = scratch.narrow(0, 0, length))
            {
                using var same = part.sqrt_();
            }

            Update(p.Slice(from, length), m.Slice(from, length), s[..length], scalars, (float)decay);
        }

        // Autograd has not seen the write: an in-place operation on an empty view counts it, so that a backward through old weights still fails.
        using var flat = parameter.view(-1);
        using var empty = flat.narrow(0, 0, 0);
        using var counted = empty.zero_();
        return true;
    }

    private static bool Fits(Tensor tensor) =>
        tensor.device_type == DeviceType.CPU && tensor.dtype == ScalarType.Float32 && tensor.is_contiguous();

    private static Span<float> Floats(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    /// <summary>m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², s ← what the root is taken of.</summary>
    private static void Moments(ReadOnlySpan<float> g, Span<float> m, Span<float> v, Span<float> s, in AdamWScalars scalars)
    {
        var options = scalars.Options;
        var clips = scalars.Clip < 1;
        var (clip, beta1, beta2) = ((float)scalars.Clip, (float)options.Beta1, (float)options.Beta2);
        var (rest1, rest2) = ((float)(1 - options.Beta1), (float)(1 - options.Beta2));
        var inside = options.EpsInsideRoot;
        var (correction, eps) = ((float)scalars.BiasCorrection2, (float)options.Eps);
        ref var gs = ref MemoryMarshal.GetReference(g);
        ref var ms = ref MemoryMarshal.GetReference(m);
        ref var vs = ref MemoryMarshal.GetReference(v);
        ref var ss = ref MemoryMarshal.GetReference(s);
        var i = 0;
        for (; i <= g.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var at = (nuint)i;
            var gradient = Vector256.LoadUnsafe(ref gs, at);
            gradient = clips ? gradient * clip : gradient;
            var mean = Fma.MultiplyAdd(gradient, Vector256.Create(rest1), Vector256.LoadUnsafe(ref ms, at) * beta1);
            var square = Fma.MultiplyAdd(gradient * rest2, gradient, Vector256.LoadUnsafe(ref vs, at) * beta2);
            mean.StoreUnsafe(ref ms, at);
            square.StoreUnsafe(ref vs, at);
            (inside ? square / correction + Vector256.Create(eps) : square).StoreUnsafe(ref ss, at);
        }

        for (; i < g.Length; i++)
        {
            var gradient = clips ? g[i] * clip : g[i];
            m[i] = MathF.FusedMultiplyAdd(gradient, rest1, m[i] * beta1);
            v[i] = MathF.FusedMultiplyAdd(gradient * rest2, gradient, v[i] * beta2);
            s[i] = inside ? v[i] / correction + eps : v[i];
        }
    }

    /// <summary>p ← decay·p + slope·m / (s/√(1 − β₂ᵗ) + ε), or / s with ε inside the root.</summary>
    private static void Update(Span<float> p, ReadOnlySpan<float> m, ReadOnlySpan<float> s, in AdamWScalars scalars, float decay)
    {
        var inside = scalars.Options.EpsInsideRoot;
        var (root, eps, slope) = ((float)scalars.RootOfBiasCorrection2, (float)scalars.Options.Eps, (float)scalars.Slope);
        ref var ps = ref MemoryMarshal.GetReference(p);
        ref var ms = ref MemoryMarshal.GetReference(m);
        ref var ss = ref MemoryMarshal.GetReference(s);
        var i = 0;
        for (; i <= p.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var at = (nuint)i;
            var denominator = Vector256.LoadUnsafe(ref ss, at);
            denominator = inside ? denominator : denominator / root + Vector256.Create(eps);
            (Vector256.LoadUnsafe(ref ps, at) * decay + Vector256.LoadUnsafe(ref ms, at) * slope / denominator).StoreUnsafe(ref ps, at);
        }

        for (; i < p.Length; i++)
        {
            var denominator = inside ? s[i] : s[i] / root + eps;
            p[i] = p[i] * decay + m[i] * slope / denominator;
        }
    }

    /// <summary>Runs both ways on random numbers of many magnitudes, with and without remainders, and compares bits.</summary>
    private static bool AgreesWithTorch()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var inside in new[] { false, true })
        {
            var options = new AdamWOptions { EpsInsideRoot = inside, Eps = inside ? 2.5e-4 : 1e-12 };
            using var mine = new AdamWTrial(options);
            using var theirs = new AdamWTrial(options);
            for (var step = 1; step <= 3; step++)
            {
                mine.Step(step, withKernel: true);
                theirs.Step(step, withKernel: false);
            }

            if (!mine.SameBits(theirs))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A few thousand weights for the trial run.</summary>
    private sealed class AdamWTrial : IDisposable
    {
        private readonly AdamWOptions _options;
        private readonly Tensor _parameter = Random(0, 0.02);
        private readonly AdamWState _state;

        public AdamWTrial(AdamWOptions options)
        {
            _options = options;
            _state = new AdamWState(_parameter);
        }

        public void Step(int step, bool withKernel)
        {
            using var scope = NewDisposeScope();
            var gradient = Random(step, 10);
            var scalars = new AdamWScalars(_options, 1e-3, 0.37, step);
            if (withKernel)
            {
                TryStep(_parameter, gradient, _state, empty(Block), scalars, scalars.Decay);
            }
            else
            {
                AdamW.TorchStep(_parameter, gradient, _state, scalars, scalars.Decay);
            }
        }

        public bool SameBits(AdamWTrial other) =>
            _parameter.bytes.SequenceEqual(other._parameter.bytes)
            && _state.ExpAvg.bytes.SequenceEqual(other._state.ExpAvg.bytes)
            && _state.ExpAvgSq.bytes.SequenceEqual(other._state.ExpAvgSq.bytes);

        public void Dispose()
        {
            _state.Dispose();
            _parameter.Dispose();
        }

        /// <summary>Numbers with exponents from 2⁻²⁴ to 1 times <paramref name="scale"/>, of either sign.</summary>
        private static Tensor Random(int step, double scale)
        {
            var random = CounterRandom.Of(1, RandomPurpose.Initialisation, step);
            var values = new float[Block + 2_011];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = (float)(scale * (random.NextDouble() - 0.5) * Math.Pow(2, -random.NextInt(24)));
            }

            return tensor(values);
        }
    }
}
