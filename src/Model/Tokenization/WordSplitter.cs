using System.Text;

namespace ActorTrainer.Model.Tokenization;

/// <summary>Takes the words of a text, one after the other.</summary>
internal interface IWordSink
{
    void Word(scoped ReadOnlySpan<char> word);
}

/// <summary>Text to words: normalisation and pre-tokenisation. Tokenizer and trainer share it, so that they see the same words.</summary>
internal static class WordSplitter
{
    /// <summary>Characters normalised at a time; both steps are local to text between white space, so small pieces stay in the cache.</summary>
    private const int Window = 1024;

    /// <summary>Kinds of the ASCII characters, per pre-tokeniser.</summary>
    private static readonly Kind[][] AsciiKinds =
        [.. Enum.GetValues<PreTokeniser>().Select(kind => Enumerable.Range(0, 128).Select(c => Classify(kind, new Rune(c))).ToArray())];

    /// <summary>Gives every word of <paramref name="text"/> to <paramref name="sink"/>, in order.</summary>
    public static void Split<TSink>(TokenizerSettings settings, ReadOnlySpan<char> text, ref TSink sink)
        where TSink : IWordSink, allows ref struct
    {
        if (settings.Normaliser is NormaliserSettings.None)
        {
            Cut(settings.PreTokeniser, text, ref sink);
            return;
        }

        var normalised = new CharBuffer(stackalloc char[2 * Window]);
        var scratch = new CharBuffer(stackalloc char[2 * Window]);
        try
        {
            while (!text.IsEmpty)
            {
                var length = PieceLength(text);
                normalised.Clear();
                TextNormaliser.Append(settings.Normaliser, text[..length], ref normalised, ref scratch);
                Cut(settings.PreTokeniser, normalised.Span, ref sink);
                text = text[length..];
            }
        }
        finally
        {
            normalised.Dispose();
            scratch.Dispose();
        }
    }

    /// <summary>Length of a first piece that ends with a space or line feed, or with the text.</summary>
    private static int PieceLength(ReadOnlySpan<char> text)
    {
        if (text.Length <= Window)
        {
            return text.Length;
        }

        var last = text[..Window].LastIndexOfAny(' ', '\n');
        if (last >= 0)
        {
            return last + 1;
        }

        var next = text[Window..].IndexOfAny(' ', '\n');
        return next >= 0 ? Window + next + 1 : text.Length;
    }

    private static void Cut<TSink>(PreTokeniser kind, scoped ReadOnlySpan<char> text, ref TSink sink)
        where TSink : IWordSink, allows ref struct
    {
        var ascii = AsciiKinds[(int)kind];
        var start = 0;
        var open = Kind.Space;
        for (var i = 0; i < text.Length;)
        {
            var width = 1;
            Kind next;
            if (text[i] < 128)
            {
                next = ascii[text[i]];
            }
            else
            {
                Rune.DecodeFromUtf16(text[i..], out var rune, out width);
                next = Classify(kind, rune);
            }

            if (next != open || next == Kind.Alone)
            {
                if (open != Kind.Space)
                {
                    sink.Word(text[start..i]);
                }

                start = i;
                open = next;
            }

            i += width;
        }

        if (open != Kind.Space)
        {
            sink.Word(text[start..]);
        }
    }

    private static Kind Classify(PreTokeniser kind, Rune rune)
    {
        if (Rune.IsWhiteSpace(rune))
        {
            return Kind.Space;
        }

        return kind switch
        {
            PreTokeniser.Bert => CharacterClasses.IsBertPunctuation(rune) ? Kind.Alone : Kind.Word,
            PreTokeniser.Whitespace => CharacterClasses.IsWord(rune) ? Kind.Word : Kind.Other,
            _ => Kind.Word,
        };
    }

    private enum Kind : byte
    {
        Space,
        Word,
        Other,
        Alone,
    }
}
