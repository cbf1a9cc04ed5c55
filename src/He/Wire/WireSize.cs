using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Wire;

/// <summary>
/// Exact sizes in bytes of objects on the wire, header and checksum included. They follow from parameters, level and form alone, so a reader knows them
/// before it takes memory, and a planner before anything is sent.
/// </summary>
public static class WireSize
{
    internal const int Header = 64;
    internal const int Checksum = sizeof(uint);

    /// <summary>Two doubles of scale, variance of the noise, magnitude.</summary>
    internal const int CiphertextFields = 4 * sizeof(double);

    /// <summary>Element and level of a key.</summary>
    internal const int DirectoryEntry = 2 * sizeof(int);

    /// <summary>A ciphertext as it will be written.</summary>
    /// <exception cref="MisuseException">It was made by another backend than the engine.</exception>
    public static long Of(Ciphertext ciphertext) => CiphertextFormat.Size(ciphertext);

    /// <param name="parts">2, or 3 before relinearisation.</param>
    /// <param name="seeded">Whether a seed stands for the second of two parts: fresh ciphertexts of the secret key.</param>
    /// <exception cref="ArgumentOutOfRangeException">No such level, or parts that do not go with the form.</exception>
    public static long Ciphertext(CkksParameters parameters, int level, bool seeded = false, int parts = 2)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(parts, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(parts, seeded ? 2 : 3);
        return Header + CiphertextFields + (seeded ? Seed.Bytes + Limbs(parameters, level) : parts * Limbs(parameters, level)) + Checksum;
    }

    /// <summary>A public key, whose uniform part is always a seed.</summary>
    public static long PublicKey(CkksParameters parameters) => Header + Seed.Bytes + Limbs(parameters, parameters.MaxLevel) + Checksum;

    /// <summary>One evaluation key within a set. An element makes no difference, a level does.</summary>
    /// <param name="seeded">False for what both parts would take: keys are sent seeded, this is for comparison.</param>
    /// <exception cref="ArgumentOutOfRangeException">No such level.</exception>
    public static long Key(CkksParameters parameters, KeyRequest request, bool seeded = true)
    {
        var half = parameters.DigitCount(request.Level) * (Limbs(parameters, request.Level) + parameters.Special.Sum(q => (long)LimbBytes(q, parameters.Degree)));
        return DirectoryEntry + (seeded ? Seed.Bytes + half : 2 * half);
    }

    /// <summary>A set of evaluation keys with these elements and levels, each element once.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such level.</exception>
    public static long EvaluationKeys(CkksParameters parameters, IEnumerable<KeyRequest> requests) =>
        Header + requests.Sum(request => Key(parameters, request)) + Checksum;

    /// <summary>The keys for bootstrapping besides evaluation keys.</summary>
    public static long EncapsulationKeys(CkksParameters parameters) => Header + (2 * Seed.Bytes) + LimbBytes(parameters.Chain[0], parameters.Degree) + LimbBytes(parameters.Special[0], parameters.Degree)
        + Limbs(parameters, parameters.MaxLevel) + parameters.Special.Sum(q => (long)LimbBytes(q, parameters.Degree)) + Checksum;

    /// <summary>⌈log₂ q⌉ bits for a residue; N is a multiple of 8, so limbs are whole bytes.</summary>
    internal static int LimbBytes(Modulus modulus, int degree) => degree / 8 * BitPacking.Bits(modulus);

    private static long Limbs(CkksParameters parameters, int level)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(level);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, parameters.MaxLevel);
        return parameters.Chain.Take(level + 1).Sum(q => (long)LimbBytes(q, parameters.Degree));
    }
}
