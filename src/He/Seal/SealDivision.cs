using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Seal;

/// <summary>
/// Division by a dropped prime p as SEAL rounds: ⌊p/2⌋ is added to the residue mod p, which is then taken from [0, p) to the other primes, where
/// ⌊p/2⌋ is subtracted again.
/// </summary>
internal static unsafe class SealDivision
{
    /// <summary>target = source / p, or target += source / p, over all limbs of the target.</summary>
    /// <param name="source">One limb more than the target, which is that of p; in transformed form.</param>
    public static void Divide(RingContext ring, Polynomial source, Polynomial target, bool add = false)
    {
        var top = target.Limbs;
        var dropped = ring.Of(source, top);
        var (p, half) = (dropped.Modulus.Value, dropped.Modulus.Value >> 1);
        using var shifted = ring.NewPolynomial(1);
        dropped.Copy(shifted[0], source[top]);
        dropped.Inverse(shifted[0]);
        dropped.AddScalar(shifted[0], shifted[0], half);
        ring.Team.For(top, i =>
        {
            var kernels = ring.Of(target, i);
            var q = kernels.Modulus;
            using var rest = ring.NewPolynomial(1);
            Reduce(kernels, rest[0], shifted[0], p);
            kernels.AddScalar(rest[0], rest[0], q.Negate(q.Reduce(half)));
            kernels.Forward(rest[0]);
            if (add)
            {
                kernels.SubtractMultiply(rest[0], source[i], rest[0], q.Inverse(p));
                kernels.Add(target[i], target[i], rest[0]);
            }
            else
            {
                kernels.SubtractMultiply(target[i], source[i], rest[0], q.Inverse(p));
            }
        });
        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    /// <summary>Residues in [0, <paramref name="from"/>), taken as they are, mod another prime.</summary>
    public static void Reduce(LimbKernels kernels, void* result, void* residues, ulong from)
    {
        if (from <= kernels.Modulus.Value)
        {
            kernels.Copy(result, residues);
            return;
        }

        var r = (ulong*)result;
        var x = (ulong*)residues;
        var modulus = kernels.Modulus;
        for (var k = 0; k < kernels.Degree; k++)
        {
            r[k] = modulus.Reduce(x[k]);
        }
    }
}
