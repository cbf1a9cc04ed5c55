using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Parameters;

/// <summary>
/// A checked parameter set of RNS-CKKS: ring degree, modulus chain, special primes, digits of key switching, canonical scales.
/// A ciphertext at level ℓ has ℓ + 1 limbs, and ℓ rescales left.
/// </summary>
public sealed class CkksParameters
{
    /// <summary>Every digit D of key switching is at most P/2^5, so that its noise stays below that of rescaling.</summary>
    public const int DigitMarginBits = 5;

    private const string InsecurePrefix = "InsecureTest";
    private readonly Scale[] _scales;

    /// <exception cref="ParametersRefusedException">
    /// log₂(QP) is above <see cref="SecurityTable"/> and <see cref="ParametersLiteral.AllowInsecure"/> is not set, or a number is out of range.
    /// </exception>
    public CkksParameters(ParametersLiteral literal)
    {
        CheckShape(literal);
        (Name, Purpose, LogDegree) = (literal.Name, literal.Purpose, literal.LogDegree);
        var (chain, special) = PrimeChain.Choose(literal);
        (Chain, Special) = ([.. chain.Select(q => new Modulus(q))], [.. special.Select(q => new Modulus(q))]);
        LogQP = Chain.Concat(Special).Sum(q => q.Bits);
        IsSecure = LogQP <= SecurityTable.MaxLogQP(LogDegree);
        if (!IsSecure && !(literal.AllowInsecure && Name.StartsWith(InsecurePrefix, StringComparison.Ordinal)))
        {
            throw new ParametersRefusedException(string.Create(
                CultureInfo.InvariantCulture,
                $"'{Name}': log2(QP) is {LogQP:F1}, and the 128-bit table allows {SecurityTable.MaxLogQP(LogDegree)} at N = 2^{LogDegree}. Use fewer or smaller primes or a larger N; for tests, name the set {InsecurePrefix}… and allow it."));
        }

        DigitStarts = Digits();
        _scales = Scales(literal.Chain);
        Fingerprint = Hash();
    }

    public string Name { get; }

    public string Purpose { get; }

    /// <summary>Whether log₂(QP) is within the 128-bit table. Sets that are not are for tests and refused for real data.</summary>
    public bool IsSecure { get; }

    public int LogDegree { get; }

    /// <summary>N.</summary>
    public int Degree => 1 << LogDegree;

    /// <summary>N/2 complex numbers in a ciphertext.</summary>
    public int Slots => Degree / 2;

    /// <summary>q₀ … q_L.</summary>
    public IReadOnlyList<Modulus> Chain { get; }

    /// <summary>The primes of P.</summary>
    public IReadOnlyList<Modulus> Special { get; }

    /// <summary>L.</summary>
    public int MaxLevel => Chain.Count - 1;

    /// <summary>log₂ of all primes' product, special ones included.</summary>
    public double LogQP { get; }

    /// <summary>The first limb of each digit of key switching; digits are runs of limbs.</summary>
    public IReadOnlyList<int> DigitStarts { get; }

    /// <summary>SHA-256 over degree and primes: what keys and ciphertexts are bound to.</summary>
    public ReadOnlyMemory<byte> Fingerprint { get; }

    /// <summary>
    /// The canonical scale of a level: the top prime of its segment at the top, and Δ_{ℓ−1} = Δ_ℓ²/q_ℓ below, so that products of canonical
    /// numbers are canonical after rescaling.
    /// </summary>
    public Scale ScaleAt(int level) => _scales[level];

    /// <summary>Digits that a ciphertext of this level has.</summary>
    public int DigitCount(int level) => DigitStarts.Count(start => start <= level);

    /// <summary>Limbs of one digit at a level: [start, end).</summary>
    public (int Start, int End) Digit(int index, int level) =>
        (DigitStarts[index], Math.Min(index + 1 < DigitStarts.Count ? DigitStarts[index + 1] : Chain.Count, level + 1));

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Name}: N = 2^{LogDegree}, {Chain.Count} + {Special.Count} primes, log2(QP) = {LogQP:F1} of {SecurityTable.MaxLogQP(LogDegree)}{(IsSecure ? "" : " (insecure)")}");

    private static void CheckShape(ParametersLiteral literal)
    {
        if (literal.LogDegree is < 5 or > 16)
        {
            throw new ParametersRefusedException($"'{literal.Name}': expected N from 2^5 to 2^16, found 2^{literal.LogDegree}.");
        }

        foreach (var segment in literal.Chain.Append(literal.Special))
        {
            if (segment.Bits is < 20 or > 60 || segment.Count is < 1 or > 64)
            {
                throw new ParametersRefusedException($"'{literal.Name}': expected 1 to 64 primes of 20 to 60 bits, found {segment.Count} of {segment.Bits}.");
            }
        }
    }

    private int[] Digits()
    {
        var budget = Special.Sum(q => q.Bits) - DigitMarginBits;
        var starts = new List<int> { 0 };
        double bits = 0;
        for (var i = 0; i < Chain.Count; i++)
        {
            if (Chain[i].Bits > budget)
            {
                throw new ParametersRefusedException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{Name}': a prime of {Chain[i].Bits:F1} bits is above P/2^{DigitMarginBits}, which has {budget:F1} bits. Use larger or more special primes."));
            }

            bits += Chain[i].Bits;
            if (bits > budget)
            {
                starts.Add(i);
                bits = Chain[i].Bits;
            }
        }

        return [.. starts];
    }

    private Scale[] Scales(IReadOnlyList<ChainSegment> segments)
    {
        var sizes = segments.SelectMany(s => Enumerable.Repeat(s.Bits, s.Count)).ToArray();
        var scales = new Scale[sizes.Length];
        for (var level = sizes.Length - 1; level >= 0; level--)
        {
            var restarts = level == sizes.Length - 1 || (level > 0 && sizes[level] != sizes[level + 1]);
            scales[level] = restarts ? Scale.FromInteger(Chain[level].Value) : scales[level + 1] * scales[level + 1] / Scale.FromInteger(Chain[level + 1].Value);
        }

        return scales;
    }

    private byte[] Hash()
    {
        var bytes = new byte[8 * (3 + Chain.Count + Special.Count)];
        ulong[] words = [(ulong)LogDegree, (ulong)Chain.Count, (ulong)Special.Count, .. Chain.Select(q => q.Value), .. Special.Select(q => q.Value)];
        for (var i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8 * i), words[i]);
        }

        return SHA256.HashData(bytes);
    }
}
