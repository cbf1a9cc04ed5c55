using System.Globalization;
using System.Text;

namespace ActorTrainer.Model.Tokenization;

/// <summary>
/// The character classes that BERT's published tokenisation and Hugging Face's pre-tokenisers are defined by. They follow the runtime's
/// Unicode version; characters newer than a published implementation's may fall into another class there.
/// </summary>
internal static class CharacterClasses
{
    /// <summary>Punctuation of BERT: every printable ASCII character that is no letter, digit or space, and Unicode categories P*.</summary>
    public static bool IsBertPunctuation(Rune rune) => rune.IsAscii
        ? rune.Value is (>= 33 and <= 47) or (>= 58 and <= 64) or (>= 91 and <= 96) or (>= 123 and <= 126)
        : Rune.GetUnicodeCategory(rune) is UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation
            or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation or UnicodeCategory.InitialQuotePunctuation
            or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation;

    /// <summary>What BERT's text cleaning removes: U+0000, U+FFFD, and controls (Cc, Cf, Co) other than tab, line feed and carriage return.</summary>
    public static bool IsRemovedByBert(Rune rune) => rune.IsAscii
        ? (rune.Value < 32 && rune.Value is not ('\t' or '\n' or '\r')) || rune.Value == 127
        : rune.Value == 0xFFFD || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse;

    /// <summary>
    /// Ideographs that BERT sets apart with spaces, one token each. The ranges are the ones of the published code; 2B820-2B91F is missing
    /// there too.
    /// </summary>
    public static bool IsCjk(Rune rune) => rune.Value is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF)
        or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF)
        or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);

    /// <summary>Accents that BERT strips after decomposition: category Mn.</summary>
    public static bool IsNonSpacingMark(Rune rune) => !rune.IsAscii && Rune.GetUnicodeCategory(rune) == UnicodeCategory.NonSpacingMark;

    /// <summary>
    /// The word characters (<c>\w</c>) of Unicode Technical Standard 18, annex C: alphabetic, marks, decimal digits, connector punctuation,
    /// join controls. Alphabetic symbols outside letters and letter numbers are the circled and squared Latin letters.
    /// </summary>
    public static bool IsWord(Rune rune)
    {
        if (rune.IsAscii)
        {
            return char.IsAsciiLetterOrDigit((char)rune.Value) || rune.Value == '_';
        }

        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber
                or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
                or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.ConnectorPunctuation => true,
            _ => rune.Value is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149)
                or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189),
        };
    }
}
