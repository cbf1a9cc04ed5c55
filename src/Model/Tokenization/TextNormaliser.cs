using System.Text;

namespace ActorTrainer.Model.Tokenization;

/// <summary>Carries out <see cref="NormaliserSettings"/> on a piece of text that begins and ends at ASCII white space.</summary>
internal static class TextNormaliser
{
    /// <summary>
    /// Appends the normalised <paramref name="text"/> to <paramref name="output"/>, which is empty before; <paramref name="scratch"/> is
    /// overwritten.
    /// </summary>
    public static void Append(NormaliserSettings settings, ReadOnlySpan<char> text, ref CharBuffer output, ref CharBuffer scratch)
    {
        switch (settings)
        {
            case NormaliserSettings.Crammed:
                AppendCrammed(text, ref output);
                break;
            case NormaliserSettings.Bert bert:
                AppendBert(bert, text, ref output, ref scratch);
                break;
            default:
                output.Append(text);
                break;
        }
    }

    /// <summary>
    /// Only ASCII is kept, so each character goes through on its own: what survives of a decomposition is its ASCII part, and canonical
    /// ordering moves marks only, which are dropped. Collapsing spaces changes no word and is left out.
    /// </summary>
    private static void AppendCrammed(ReadOnlySpan<char> text, ref CharBuffer output)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is '`' or '\'' && i + 1 < text.Length && text[i + 1] == c)
            {
                output.Append('"');
                i++;
            }
            else if (c < 128)
            {
                output.Append(LowerAscii(c));
            }
            else if (!char.IsSurrogate(c) && CanonicalDecomposition.Of(c) is { } parts)
            {
                // No decomposition outside the basic plane has an ASCII part.
                foreach (var part in parts)
                {
                    if (part < 128)
                    {
                        output.Append(LowerAscii(part));
                    }
                }
            }
        }
    }

    private static void AppendBert(NormaliserSettings.Bert bert, ReadOnlySpan<char> text, ref CharBuffer output, ref CharBuffer scratch)
    {
        if (Ascii.IsValid(text))
        {
            AppendBertAscii(bert, text, ref output);
            return;
        }

        var strip = bert.StripAccents ?? bert.Lowercase;
        scratch.Clear();
        CleanAndSpace(bert, text, ref scratch);
        if (strip)
        {
            CanonicalDecomposition.Append(scratch.Span, ref output);
            scratch.Clear();
            foreach (var rune in output.Span.EnumerateRunes())
            {
                if (!CharacterClasses.IsNonSpacingMark(rune))
                {
                    scratch.Append(rune);
                }
            }

            output.Clear();
        }

        if (bert.Lowercase)
        {
            AppendLower(scratch.Span, ref output);
        }
        else
        {
            output.Append(scratch.Span);
        }
    }

    private static void AppendBertAscii(NormaliserSettings.Bert bert, ReadOnlySpan<char> text, ref CharBuffer output)
    {
        foreach (var c in text)
        {
            if (bert.CleanText && c < 32)
            {
                if (c is '\t' or '\n' or '\r')
                {
                    output.Append(' ');
                }
            }
            else if (!bert.CleanText || c != 127)
            {
                output.Append(bert.Lowercase ? LowerAscii(c) : c);
            }
        }
    }

    private static void CleanAndSpace(NormaliserSettings.Bert bert, ReadOnlySpan<char> text, ref CharBuffer output)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (bert.CleanText && CharacterClasses.IsRemovedByBert(rune))
            {
                continue;
            }

            if (bert.CleanText && Rune.IsWhiteSpace(rune))
            {
                output.Append(' ');
            }
            else if (bert.HandleChinese && CharacterClasses.IsCjk(rune))
            {
                output.Append(' ');
                output.Append(rune);
                output.Append(' ');
            }
            else
            {
                output.Append(rune);
            }
        }
    }

    /// <summary>Unicode's unconditional lower-case mapping; one character, U+0130, becomes two.</summary>
    private static void AppendLower(ReadOnlySpan<char> text, ref CharBuffer output)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value == 0x130)
            {
                output.Append("i\u0307");
            }
            else
            {
                output.Append(Rune.ToLowerInvariant(rune));
            }
        }
    }

    private static char LowerAscii(char c) => c is >= 'A' and <= 'Z' ? (char)(c | 0x20) : c;
}
