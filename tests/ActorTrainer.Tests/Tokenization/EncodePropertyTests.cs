using ActorTrainer.Model.Tokenization;
using CsCheck;
using Xunit;

namespace ActorTrainer.Tests.Tokenization;

public class EncodePropertyTests
{
    private static readonly TokenizerSettings[] Settings =
    [
        TokenizerSettings.Crammed,
        TokenizerSettings.BertUncased,
        TokenizerSettings.BertCased,
        new(new NormaliserSettings.Bert(CleanText: false, StripAccents: false), PreTokeniser.Bert),
        new(new NormaliserSettings.None(), PreTokeniser.Whitespace),
        new(new NormaliserSettings.None(), PreTokeniser.WhitespaceSplit),
    ];

    /// <summary>Any UTF-16 code units, with broken surrogate pairs, marks, spaces and letters more often than chance has them.</summary>
    private static readonly Gen<string> AnyText = Gen.Frequency(
        (4, Gen.Char['\0', '\u007F']),
        (2, Gen.Char),
        (2, Gen.Char['\uD800', '\uDFFF']),
        (1, Gen.Char['\u0300', '\u036F']),
        (1, Gen.Char['\u00C0', '\u017F']),
        (1, Gen.Char['\u4E00', '\u9FFF']),
        (2, Gen.Char[" \n'`#ab"])).Array[0, 200].Select(chars => new string(chars));

    [Fact]
    public void Encoding_any_text_gives_ids_of_the_vocabulary() => AnyText.Sample(
        text =>
        {
            foreach (var settings in Settings)
            {
                var tokenizer = Tokenizer(settings);
                var ids = tokenizer.Ids(text);
                Assert.All(ids, id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
                Assert.All(ids, id => Assert.True(id == tokenizer.Special.Unknown || id >= Tokens.BertSpecials.Length));
                tokenizer.Decode(ids);
            }
        },
        seed: "0000KOIPe037",
        iter: 1500);

    [Fact]
    public void Encoding_is_local_to_spaces() => Gen.Select(AnyText, AnyText).Sample(
        (left, right) =>
        {
            foreach (var settings in Settings)
            {
                var tokenizer = Tokenizer(settings);
                Assert.Equal([.. tokenizer.Ids(left), .. tokenizer.Ids(right)], tokenizer.Ids(left + " " + right));
            }
        },
        seed: "0000KOIPe038",
        iter: 500);

    [Fact]
    public void Training_on_any_text_covers_all_its_words() => AnyText.Array[1, 20].Sample(
        texts =>
        {
            // Every character that occurs is in the alphabet, so no short word of the corpus is unknown.
            var settings = TokenizerSettings.BertUncased;
            var words = WordCounter.Count(texts, settings, 1, 1000, null, CancellationToken.None);
            if (words.Count == 0)
            {
                return;
            }

            var alphabet = words.Keys.SelectMany(word => word.EnumerateRunes()).Distinct().Count();
            var continuing = words.Keys.SelectMany(word => word.EnumerateRunes().Skip(1)).Distinct().Count();
            var options = new WordPieceTrainerOptions { VocabularySize = 7 + alphabet + continuing, AlphabetLimit = 5000, Settings = settings };
            var tokenizer = WordPieceTrainer.Train(texts, options);
            Assert.Equal(options.VocabularySize, tokenizer.VocabularySize);
            Assert.DoesNotContain(tokenizer.Special.Unknown, texts.SelectMany(text => tokenizer.Ids(text)));
        },
        seed: "0000KOIPe039",
        iter: 100);

    private static WordPieceTokenizer Tokenizer(TokenizerSettings settings) =>
        Tokens.Of(settings, "a", "b", "##a", "##b", "##", "#", "'", "\"", "é", "\u0301", "##\u0301");
}
