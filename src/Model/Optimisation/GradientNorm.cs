using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using ActorTrainer.Model.Bert;
using TorchSharp;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Optimisation;

/// <summary>
/// The global L2 norm of all gradients, put together from per-parameter parts. Each part depends on its parameter alone and they are added
/// in canonical order, so the norm has the same bits however the model is cut into stages.
/// </summary>
public static class GradientNorm
{
    /// <summary>
    /// Squared L2 norm of a parameter's gradient; 0 when there is none. Summed in double precision in a fixed order for float32 on the CPU:
    /// neither the intra-op thread count nor the vector width of the machine changes the result.
    /// </summary>
    public static double Squared(NamedParameter parameter)
    {
        using var gradient = parameter.Value.grad;
        if (gradient is null)
        {
            return 0;
        }

        using var contiguous = gradient.contiguous();
        if (contiguous.device_type == DeviceType.CPU && contiguous.dtype == ScalarType.Float32)
        {
            return SumOfSquares(MemoryMarshal.Cast<byte, float>(contiguous.bytes));
        }

        using var wide = contiguous.to_type(ScalarType.Float64);
        using var norm = wide.norm();
        var value = norm.item<double>();
        return value * value;
    }

    /// <summary>L2 norm over all parameters.</summary>
    /// <param name="squaredInCanonicalOrder"><see cref="Squared"/> of every parameter of the model: units by index, parameters in their unit's order.</param>
    public static double Total(IEnumerable<double> squaredInCanonicalOrder)
    {
        var sum = 0.0;
        foreach (var squared in squaredInCanonicalOrder)
        {
            sum += squared;
        }

        return Math.Sqrt(sum);
    }

    /// <summary>
    /// Factor for every gradient that brings the global norm down to <paramref name="clip"/>: min(1, clip/(norm + 10⁻⁶)); 1 when
    /// <paramref name="clip"/> is 0. NaN for a norm that is NaN: look at the norm first.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The clip is negative or not a number.</exception>
    public static double ClipFactor(double norm, double clip)
    {
        if (!(clip >= 0))
        {
            throw new ArgumentOutOfRangeException(nameof(clip), clip, "A clipping norm is positive, or 0 for no clipping.");
        }

        return clip == 0 ? 1 : Math.Min(1, clip / (norm + 1e-6));
    }

    private static double SumOfSquares(ReadOnlySpan<float> values)
    {
        // Sixteen running sums whatever the hardware has: Vector256 of .NET gives equal bits with and without 256-bit registers.
        Vector256<double> a = default, b = default, c = default, d = default;
        var i = 0;
        for (; i <= values.Length - 16; i += 16)
        {
            var (lower, upper) = Vector256.Widen(Vector256.Create(values[i..]));
            var (lower2, upper2) = Vector256.Widen(Vector256.Create(values[(i + 8)..]));
            a += lower * lower;
            b += upper * upper;
            c += lower2 * lower2;
            d += upper2 * upper2;
        }

        var lanes = a + b + (c + d);
        var sum = lanes[0] + lanes[1] + (lanes[2] + lanes[3]);
        for (; i < values.Length; i++)
        {
            sum += (double)values[i] * values[i];
        }

        return sum;
    }
}
