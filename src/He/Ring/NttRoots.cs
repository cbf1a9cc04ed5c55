namespace ActorTrainer.He.Ring;

/// <summary>Powers of ψ, the smallest primitive 2N-th root of unity, in the bit-reversed order in which the transforms use them.</summary>
internal sealed class NttRoots
{
    public NttRoots(Modulus modulus, int logDegree)
    {
        var degree = 1 << logDegree;
        var root = Primes.SmallestRoot(modulus, 2 * (ulong)degree);
        (Forward, Inverse) = (Powers(modulus, root, logDegree), Powers(modulus, modulus.Inverse(root), logDegree));
        InverseDegree = modulus.Inverse((ulong)degree);
    }

    /// <summary>ψ^brv(i).</summary>
    public ulong[] Forward { get; }

    /// <summary>ψ^−brv(i).</summary>
    public ulong[] Inverse { get; }

    /// <summary>N⁻¹ mod q.</summary>
    public ulong InverseDegree { get; }

    public static int Reverse(int index, int bits) => bits == 0 ? 0 : (int)(ReverseBits((uint)index) >> (32 - bits));

    private static ulong[] Powers(Modulus modulus, ulong root, int logDegree)
    {
        var powers = new ulong[1 << logDegree];
        ulong power = 1;
        for (var i = 0; i < powers.Length; i++)
        {
            powers[Reverse(i, logDegree)] = power;
            power = modulus.Multiply(power, root);
        }

        return powers;
    }

    private static uint ReverseBits(uint value)
    {
        value = ((value >> 1) & 0x55555555) | ((value & 0x55555555) << 1);
        value = ((value >> 2) & 0x33333333) | ((value & 0x33333333) << 2);
        value = ((value >> 4) & 0x0F0F0F0F) | ((value & 0x0F0F0F0F) << 4);
        return System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(value);
    }
}
