using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>One way in which a secret could be written down.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Bytes">All of it.</param>
/// <param name="Block">Bytes whose chance to be found by accident is nil: 32 of random residues, and those of 64 ternary numbers.</param>
internal sealed record SecretForm(string Name, byte[] Bytes, int Block);

/// <summary>All ways in which a secret key, or the seed that it was made from, could be written down.</summary>
internal static unsafe class SecretForms
{
    private const int Numbers = 64;

    public static IReadOnlyList<SecretForm> Of(CkksContext context, SecretKey key, Seed seed)
    {
        var packed = new byte[SecretKeyCoefficients.Bytes(context.Parameters)];
        SecretKeyCoefficients.Write(context, key, packed);
        int[] digits = [.. Enumerable.Range(0, context.Parameters.Degree).Select(k => (packed[k / 4] >> (2 * (k % 4))) & 3)];
        return
        [
            new("two bits each", packed, Numbers / 4),
            new("two bits each, in hexadecimal", System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(packed)), Numbers / 2),
            new("two bits each, in base 64", System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(packed)), Numbers / 2),
            Small("bytes of 0, 1, 2", digits, digit => [(byte)digit]),
            Small("signed bytes", digits, digit => [(byte)(sbyte)(digit - 1)]),
            Small("integers of 32 bits", digits, digit => BitConverter.GetBytes(digit - 1)),
            Small("integers of 64 bits", digits, digit => BitConverter.GetBytes((long)digit - 1)),
            Small("floats", digits, digit => BitConverter.GetBytes((float)digit - 1)),
            Small("doubles", digits, digit => BitConverter.GetBytes((double)digit - 1)),
            new("seed", seed.Span.ToArray(), 16),
            .. Enumerable.Range(0, key.Polynomial.Limbs).SelectMany(limb => OfLimb(context.Ring, key.Polynomial, limb)),
        ];
    }

    private static SecretForm Small(string name, int[] digits, Func<int, byte[]> write)
    {
        byte[] bytes = [.. digits.SelectMany(write)];
        return new SecretForm(name, bytes, Numbers * bytes.Length / digits.Length);
    }

    /// <summary>Transformed, as it is kept, and as coefficients modulo the limb's prime.</summary>
    private static IEnumerable<SecretForm> OfLimb(RingContext ring, Polynomial key, int limb)
    {
        var kernels = ring.Of(key, limb);
        using var copy = ring.NewPolynomial(1, secret: true);
        kernels.Copy(copy[0], key[limb]);
        int[] places = [.. Enumerable.Range(0, ring.Degree).Select(kernels.PlaceOf)];
        var transformed = Words(kernels, copy, $"transformed modulo {kernels.Modulus}", places, 32, 32);
        kernels.Inverse(copy[0]);
        return [.. transformed, .. Words(kernels, copy, $"coefficients modulo {kernels.Modulus}", [.. Enumerable.Range(0, ring.Degree)], Numbers * sizeof(ulong), Numbers * BitPacking.Bits(kernels.Modulus) / 8)];
    }

    private static SecretForm[] Words(LimbKernels kernels, Polynomial copy, string name, int[] places, int block, int packedBlock)
    {
        var residues = new ulong[kernels.Degree];
        var packed = new byte[(kernels.Degree * BitPacking.Bits(kernels.Modulus) / 8) + sizeof(ulong)];
        fixed (ulong* words = residues)
        fixed (byte* bits = packed)
        fixed (int* at = places)
        {
            kernels.ToResidues(words, copy[0]);
            BitPacking.Pack(bits, words, at, kernels.Degree, BitPacking.Bits(kernels.Modulus));
        }

        return
        [
            new($"{name}, in memory", new Span<byte>(copy[0], kernels.Degree * sizeof(ulong)).ToArray(), block),
            new($"{name}, residues", [.. residues.SelectMany(BitConverter.GetBytes)], block),
            new($"{name}, residues in order", [.. places.SelectMany(place => BitConverter.GetBytes(residues[place]))], block),
            new($"{name}, doubles", [.. residues.SelectMany(residue => BitConverter.GetBytes((double)residue))], block),
            new($"{name}, packed", packed[..^sizeof(ulong)], packedBlock),
        ];
    }
}
