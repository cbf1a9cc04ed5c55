using System.Buffers.Binary;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using Xunit;

namespace ActorTrainer.Tests.He;

/// <summary>The format once more, read slowly from its description and without the engine: what bytes must be that a reader accepts.</summary>
internal static class WireConformance
{
    private static readonly uint[] Remainders =
        [.. Enumerable.Range(0, 256).Select(value => Enumerable.Range(0, 8).Aggregate((uint)value, (crc, _) => (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1))];

    public static uint Crc32C(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc = (crc >> 8) ^ Remainders[(byte)crc ^ value];
        }

        return ~crc;
    }

    public static void FixChecksum(byte[] bytes) => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(bytes.Length - 4), Crc32C(bytes.AsSpan(..^4)));

    public static void CheckCiphertext(byte[] bytes, CkksParameters parameters)
    {
        var at = Header(bytes, 2, parameters);
        var (seeded, parts, level) = (bytes[6] == 1, bytes[7], BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8)));
        Assert.True(bytes[6] <= 1 && parts is 2 or 3 && !(seeded && parts == 3) && level <= parameters.MaxLevel);
        Assert.Equal(0, BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12)));
        var numbers = Enumerable.Range(0, 4).Select(i => BinaryPrimitives.ReadDoubleLittleEndian(bytes.AsSpan(at + (8 * i)))).ToArray();
        Assert.True(numbers.All(double.IsFinite) && double.IsNormal(numbers[0]) && numbers[0] >= 1 && numbers[0] + numbers[1] == numbers[0]);
        Assert.True(Math.Log2(numbers[0]) < parameters.Chain.Take(level + 1).Sum(q => Math.Log2(q.Value)) && numbers[2] >= 0 && numbers[3] >= 0);
        at += 32 + (seeded ? 32 : 0);
        for (var part = 0; part < (seeded ? 1 : parts); part++)
        {
            at = Limbs(bytes, at, parameters, level, special: false);
        }

        Assert.Equal(bytes.Length - 4, at);
    }

    public static void CheckPublicKey(byte[] bytes, CkksParameters parameters)
    {
        var at = Header(bytes, 3, parameters);
        Assert.Equal((1, 2, parameters.MaxLevel), (bytes[6], bytes[7], BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8))));
        Assert.Equal(bytes.Length - 4, Limbs(bytes, at + 32, parameters, parameters.MaxLevel, special: false));
    }

    public static void CheckKeys(byte[] bytes, CkksParameters parameters)
    {
        var at = Header(bytes, 4, parameters);
        Assert.Equal((1, 2, 0), (bytes[6], bytes[7], BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8))));
        var entries = Enumerable.Range(0, BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12)))
            .Select(i => (Element: BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(64 + (8 * i))), Level: BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(68 + (8 * i)))))
            .ToArray();
        Assert.Equal(entries.Length, entries.Select(entry => entry.Element).Distinct().Count());
        Assert.Equal(entries.OrderBy(entry => entry.Element), entries);
        at += 8 * entries.Length;
        foreach (var (element, level) in entries)
        {
            Assert.True(element == 0 || (element % 2 == 1 && element > 0 && element < 2 * parameters.Degree));
            Assert.InRange(level, 0, parameters.MaxLevel);
            at += 32;
            for (var digit = 0; digit < parameters.DigitCount(level); digit++)
            {
                at = Limbs(bytes, at, parameters, level, special: true);
            }
        }

        Assert.Equal(bytes.Length - 4, at);
    }

    public static void CheckEncapsulationKeys(byte[] bytes, CkksParameters parameters)
    {
        var at = Header(bytes, 5, parameters);
        Assert.Equal((1, 2, parameters.MaxLevel, 0), (bytes[6], bytes[7], BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8)), BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12))));
        at = Limbs(bytes, at + 32, parameters, [parameters.Chain[0], parameters.Special[0]]);
        Assert.Equal(bytes.Length - 4, Limbs(bytes, at + 32, parameters, parameters.MaxLevel, special: true));
    }

    private static int Header(byte[] bytes, byte kind, CkksParameters parameters)
    {
        Assert.Equal("ATHE"u8.ToArray(), bytes[..4]);
        Assert.Equal((1, kind), (bytes[4], bytes[5]));
        Assert.True(bytes[10] == 0 && bytes[11] == 0 && bytes[24..32].All(b => b == 0));
        Assert.Equal(bytes.Length - 68, BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(16)));
        Assert.True(parameters.Fingerprint.Span.SequenceEqual(bytes.AsSpan(32, 32)));
        Assert.Equal(Crc32C(bytes.AsSpan(..^4)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(bytes.Length - 4)));
        return 64;
    }

    private static int Limbs(byte[] bytes, int at, CkksParameters parameters, int level, bool special) =>
        Limbs(bytes, at, parameters, parameters.Chain.Take(level + 1).Concat(special ? parameters.Special : []));

    private static int Limbs(byte[] bytes, int at, CkksParameters parameters, IEnumerable<Modulus> primes)
    {
        foreach (var q in primes)
        {
            var bits = (int)Math.Ceiling(Math.Log2(q.Value));
            for (var k = 0; k < parameters.Degree; k++)
            {
                ulong residue = 0;
                for (var bit = 0; bit < bits; bit++)
                {
                    var place = (k * bits) + bit;
                    residue |= (ulong)((bytes[at + (place / 8)] >> (place % 8)) & 1) << bit;
                }

                Assert.True(residue < q.Value);
            }

            at += parameters.Degree * bits / 8;
        }

        return at;
    }
}
