using System.Globalization;
using System.Numerics;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// How decrypted values are made fit to leave the owner. Decryptions of approximate numbers carry noise that depends on the key, and whoever sees both
/// a ciphertext and its decryption learns of it (Li, Micciancio 2021); noise of σ = √(12·τ)·2^(s/2)·σ_ct hides it for τ releases at s bits.
/// </summary>
public sealed record ReleasePolicy
{
    /// <summary>Fewest statistical bits.</summary>
    public const int MinBits = 30;

    /// <summary>Values are rounded to steps at least so many bits above the estimated error.</summary>
    public const int RoundingBits = 10;

    private readonly int _bits = MinBits;
    private readonly long _releases = 1;
    private readonly double _tolerance = double.PositiveInfinity;

    /// <summary>Statistical security s, at least <see cref="MinBits"/>.</summary>
    public int Bits
    {
        get => _bits;
        init => _bits = value >= MinBits ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"Expected at least {MinBits} bits.");
    }

    /// <summary>τ: values that are released under one key, in all.</summary>
    public long Releases
    {
        get => _releases;
        init => _releases = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Expected at least one release.");
    }

    /// <summary>Largest root mean square of the added noise in a slot that is of use; more is refused.</summary>
    public double Tolerance
    {
        get => _tolerance;
        init => _tolerance = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Expected a positive tolerance.");
    }

    /// <summary>Root mean square of the noise to add to a slot.</summary>
    /// <exception cref="ReleaseRefusedException">It is above the tolerance.</exception>
    internal double Flooding(Ciphertext ciphertext)
    {
        var deviation = Math.Sqrt(12.0 * Releases) * Math.Pow(2, Bits / 2.0) * ciphertext.EstimatedError;
        return deviation <= Tolerance
            ? deviation
            : throw new ReleaseRefusedException(string.Create(
                CultureInfo.InvariantCulture,
                $"Releasing the {ciphertext} safely adds noise of {deviation:E2}, above the tolerated {Tolerance:E2}: its estimated error is {ciphertext.EstimatedError:E2}. Release it with less noise (a fresher or refreshed ciphertext, a larger scale), fewer releases, or a larger tolerance."));
    }

    /// <summary>The public step of rounding, a power of two.</summary>
    internal static double Step(Ciphertext ciphertext) => Math.Pow(2, Math.Ceiling(Math.Log2(ciphertext.EstimatedError)) + RoundingBits);
}

/// <summary>Values that were made fit to leave the owner.</summary>
/// <param name="Slots">Rounded and flooded.</param>
/// <param name="Step">What they are whole multiples of.</param>
/// <param name="Deviation">Root mean square of the noise that was added to a slot.</param>
public sealed record Released(IReadOnlyList<Complex> Slots, double Step, double Deviation);

/// <summary>Values that cannot be released safely and usefully.</summary>
public sealed class ReleaseRefusedException(string message) : InvalidOperationException(message);
