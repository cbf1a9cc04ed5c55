using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Seal;

/// <summary>Key switching as SEAL does it: a digit is the residue mod one prime, not centred; the sum of products is divided by the single special prime.</summary>
internal static unsafe class SealKeySwitcher
{
    /// <summary>c₀ += ⟨digits of the source, b⟩/P and c₁ += ⟨digits, a⟩/P.</summary>
    /// <param name="source">In transformed form, with as many limbs as c₀ and c₁, neither of which it is.</param>
    public static void Switch(RingContext ring, Polynomial source, SealPublicKey[] key, Polynomial c0, Polynomial c1)
    {
        var limbs = source.Limbs;
        using var digits = ring.Copy(source, limbs);
        ring.Inverse(digits);
        using var sum0 = ring.NewPolynomial(limbs, special: true);
        using var sum1 = ring.NewPolynomial(limbs, special: true);
        ring.Team.For(limbs + 1, i =>
        {
            var kernels = ring.Of(sum0, i);
            var limb = i < limbs ? i : ring.ChainLength;
            using var raised = ring.NewPolynomial(1);
            for (var j = 0; j < limbs; j++)
            {
                var operand = source[j];
                if (i != j)
                {
                    operand = raised[0];
                    SealDivision.Reduce(kernels, operand, digits[j], ring.Chain(j).Modulus.Value);
                    kernels.Forward(operand);
                }

                kernels.MultiplyAddPair(sum0[i], sum1[i], operand, key[j].B[limb], key[j].A[limb], first: j == 0);
            }
        });
        SealDivision.Divide(ring, sum0, c0, add: true);
        SealDivision.Divide(ring, sum1, c1, add: true);
        GC.KeepAlive(source);
        GC.KeepAlive(key);
    }
}
