using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace ActorTrainer.Model.Tokenization;

/// <summary>
/// Unicode normalisation form D (Unicode Standard Annex 15). The runtime's own <c>string.Normalize</c> returns text as it is when
/// globalization is invariant, as it is in this program, so the data is carried along.
/// </summary>
internal static class CanonicalDecomposition
{
    private const int HangulFirst = 0xAC00;
    private const int HangulCount = 11172;
    private const int LeadFirst = 0x1100;
    private const int VowelFirst = 0x1161;
    private const int TrailFirst = 0x11A7;
    private const int VowelCount = 21;
    private const int TrailCount = 28;

    private static readonly FrozenDictionary<int, string> Decompositions = ReadDecompositions();
    private static readonly FrozenDictionary<int, byte> CombiningClasses = ReadCombiningClasses();

    /// <summary>Appends form D of <paramref name="text"/>; an unpaired surrogate becomes U+FFFD.</summary>
    public static void Append(ReadOnlySpan<char> text, ref CharBuffer buffer)
    {
        var start = buffer.Length;
        while (!text.IsEmpty)
        {
            var head = text[0];
            if (head < 0xC0)
            {
                // Nothing below U+00C0 decomposes or combines.
                buffer.Append(head);
                text = text[1..];
                continue;
            }

            Rune.DecodeFromUtf16(text, out var rune, out var consumed);
            text = text[consumed..];
            if ((uint)(rune.Value - HangulFirst) < HangulCount)
            {
                AppendHangul(rune.Value - HangulFirst, ref buffer);
            }
            else if (Decompositions.TryGetValue(rune.Value, out var parts))
            {
                foreach (var part in parts.EnumerateRunes())
                {
                    AppendOrdered(part, start, ref buffer);
                }
            }
            else
            {
                AppendOrdered(rune, start, ref buffer);
            }
        }
    }

    /// <summary>Full canonical decomposition of one code point, or null when it stays as it is. Hangul syllables are not looked up.</summary>
    public static string? Of(int codePoint) => Decompositions.GetValueOrDefault(codePoint);

    /// <summary>Canonical ordering: a mark goes before the marks of a higher combining class that precede it.</summary>
    private static void AppendOrdered(Rune rune, int start, ref CharBuffer buffer)
    {
        var position = buffer.Length;
        if (CombiningClasses.TryGetValue(rune.Value, out var own))
        {
            while (position > start)
            {
                Rune.DecodeLastFromUtf16(buffer.Span[start..position], out var before, out var width);
                if (CombiningClasses.GetValueOrDefault(before.Value) <= own)
                {
                    break;
                }

                position -= width;
            }
        }

        buffer.Insert(position, rune);
    }

    private static void AppendHangul(int index, ref CharBuffer buffer)
    {
        buffer.Append((char)(LeadFirst + index / (VowelCount * TrailCount)));
        buffer.Append((char)(VowelFirst + index % (VowelCount * TrailCount) / TrailCount));
        if (index % TrailCount != 0)
        {
            buffer.Append((char)(TrailFirst + index % TrailCount));
        }
    }

    private static FrozenDictionary<int, string> ReadDecompositions()
    {
        var table = new Dictionary<int, string>();
        foreach (var entry in Entries(CanonicalDecompositionData.Decompositions))
        {
            var split = entry.IndexOf('=');
            table.Add(Hex(entry[..split]), string.Concat(entry[(split + 1)..].Split('+').Select(part => new Rune(Hex(part)).ToString())));
        }

        return table.ToFrozenDictionary();
    }

    private static FrozenDictionary<int, byte> ReadCombiningClasses()
    {
        var table = new Dictionary<int, byte>();
        foreach (var entry in Entries(CanonicalDecompositionData.CombiningClasses))
        {
            var split = entry.IndexOf('=');
            var range = entry[..split].Split('-');
            for (var codePoint = Hex(range[0]); codePoint <= Hex(range[^1]); codePoint++)
            {
                table.Add(codePoint, byte.Parse(entry[(split + 1)..], CultureInfo.InvariantCulture));
            }
        }

        return table.ToFrozenDictionary();
    }

    private static string[] Entries(string data) => data.Split([' ', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
