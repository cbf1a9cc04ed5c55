using System.Globalization;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// Sparse-secret encapsulation (Bossuat, Troncoso-Pastoriza, Hubaux 2022, IACR ePrint 2022/024): before a ciphertext's modulus is raised it is switched to an ephemeral secret of few coefficients, so
/// that the multiples of q₀ that appear are small, and back after. A sparse secret is weak under a large modulus: the key towards it exists modulo q₀·p₀ alone, and this type, which has no more than
/// two primes, is all that such a key can be made from.
/// </summary>
public sealed class EncapsulationParameters
{
    /// <summary>Coefficients of the ephemeral secret that are not zero. Under q₀·p₀ of 2^98 at N = 2^16 that is about 121 bits of security by the paper's estimate; the guideline's tables have no sparse secrets.</summary>
    public const int Weight = 32;

    /// <exception cref="ParametersRefusedException">q₀·p₀ is larger than the ring's degree allows.</exception>
    public EncapsulationParameters(CkksParameters parameters)
    {
        (Base, Special, Degree) = (parameters.Chain[0], parameters.Special[0], parameters.Degree);
        if (!Allows(parameters))
        {
            throw new ParametersRefusedException(string.Create(
                CultureInfo.InvariantCulture,
                $"'{parameters.Name}': a sparse secret needs q0·p0 of at most {MaxBits(parameters.LogDegree)} bits at N = 2^{parameters.LogDegree}; found {Base.Bits + Special.Bits:F1}. Bootstrapping needs N = 2^15 at least."));
        }
    }

    /// <summary>Whether a set's q₀·p₀ is small enough for a sparse secret at its degree; sets for tests may have any.</summary>
    public static bool Allows(CkksParameters parameters) => !parameters.IsSecure || parameters.Chain[0].Bits + parameters.Special[0].Bits <= MaxBits(parameters.LogDegree);

    /// <summary>q₀.</summary>
    public Modulus Base { get; }

    /// <summary>p₀, the first special prime.</summary>
    public Modulus Special { get; }

    /// <summary>N.</summary>
    public int Degree { get; }

    private static double MaxBits(int logDegree) => logDegree switch
    {
        16 => 100,
        15 => 96,
        _ => 0,
    };
}
