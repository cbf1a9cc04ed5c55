using System.Buffers.Binary;

namespace ActorTrainer.Tests.He;

/// <summary>Damages valid objects as faults and attackers do, and mostly mends the lengths and checksums that give the damage away.</summary>
internal sealed class Mutator(byte[][] valid, int seed)
{
    private static readonly int[] HeaderFields = [4, 5, 6, 7, 8, 10, 12, 16, 24, 32];
    private static readonly long[] Numbers = [0, 1, 2, 3, 4, 5, 127, 128, 255, 256, 65535, 65536, int.MaxValue, uint.MaxValue, int.MinValue, long.MaxValue, long.MinValue, -1];

    private static readonly double[] Doubles =
        [0, -0.0, 1, -1, 0.5, double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.Epsilon, double.MaxValue, 1e-308, 1099511627776, 1e30, -1e30];

    private readonly Random _random = new(seed);

    public byte[] Next()
    {
        var bytes = (byte[])Any().Clone();
        for (var times = _random.Next(1, 4); times > 0; times--)
        {
            bytes = Damaged(bytes);
        }

        if (bytes.Length >= 68 && _random.Next(2) == 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), bytes.Length - 68);
        }

        if (bytes.Length >= 4 && _random.Next(4) != 0)
        {
            WireConformance.FixChecksum(bytes);
        }

        return bytes;
    }

    private byte[] Any() => valid[_random.Next(valid.Length)];

    private byte[] Damaged(byte[] bytes)
    {
        if (bytes.Length == 0)
        {
            return (byte[])Any().Clone();
        }

        var at = _random.Next(bytes.Length);
        switch (_random.Next(10))
        {
            case 0 or 1:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                return bytes;
            case 2:
                bytes[at] = (byte)_random.Next(256);
                return bytes;
            case 3:
                return bytes[..at];
            case 4:
                var more = new byte[_random.Next(1, 80)];
                _random.NextBytes(more);
                return [.. bytes, .. more];
            case 5:
                Put(bytes, HeaderFields[_random.Next(HeaderFields.Length)], Numbers[_random.Next(Numbers.Length)]);
                return bytes;
            case 6:
                var other = Any();
                var cut = _random.Next(2) == 0 ? Math.Min(at, other.Length) : _random.Next(other.Length);
                return [.. bytes[..at], .. other[cut..]];
            case 7:
                Put(bytes, 64 + (8 * _random.Next(6)), BitConverter.DoubleToInt64Bits(Doubles[_random.Next(Doubles.Length)]), sizeof(long));
                return bytes;
            case 8:
                // Whole residues of ones are above every prime.
                bytes.AsSpan(at, Math.Min(bytes.Length - at, _random.Next(1, 24))).Fill(0xFF);
                return bytes;
            default:
                Put(bytes, 64 + (4 * _random.Next(8)), Numbers[_random.Next(Numbers.Length)], sizeof(int));
                return bytes;
        }
    }

    private void Put(byte[] bytes, int at, long value, int width = 0)
    {
        Span<byte> word = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(word, value);
        var length = Math.Max(0, Math.Min(width == 0 ? 1 << _random.Next(4) : width, bytes.Length - at));
        word[..length].CopyTo(bytes.AsSpan(Math.Min(at, bytes.Length), length));
    }
}
