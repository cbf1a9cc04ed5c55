using ActorTrainer.Model.Tokenization;
using Xunit;
using Xunit.Abstractions;

namespace ActorTrainer.Tests.Tokenization;

/// <summary>
/// Encodings of the published uncased vocabulary. The expected pieces follow from the published algorithm and that vocabulary; the ids are
/// the line numbers of vocab.txt.
/// </summary>
public class BertAgreementTests(ITestOutputHelper output)
{
    private const string Vocabulary = "vocab/bert-base-uncased/vocab.txt";

    [Theory]
    [InlineData("Hello, world!", "7592 1010 2088 999")]
    [InlineData("embeddings", "7861 8270 4667 2015")]
    [InlineData("unaffable", "14477 20961 3468")]
    [InlineData("the quick brown fox", "1996 4248 2829 4419")]
    [InlineData("中国 人", "1746 1799 1756")]
    [InlineData("( MASK]", "1006 7308 1033")]
    public void Ids_are_those_of_the_published_vocabulary(string text, string ids)
    {
        if (Load(Vocabulary) is { } tokenizer)
        {
            Assert.Equal(ids, string.Join(' ', tokenizer.Ids(text)));
        }
    }

    [Theory]
    [InlineData("Café", "cafe")]
    [InlineData("cafe\u0301", "cafe")]
    [InlineData("Crème Brûlée", "cr ##eme br ##ule ##e")]
    [InlineData("naïve Ångström Straße", "naive ang ##strom st ##raße")]
    [InlineData("İstanbul", "istanbul")]
    [InlineData("\u212Aelvin", "kelvin")]
    [InlineData("ΑΘΗΝΑΣ", "α ##θ ##η ##ν ##α ##σ")]
    public void Accents_go_and_letters_become_small(string text, string pieces) => AssertPieces(text, pieces);

    [Theory]
    [InlineData("日本語text", "日 本 語 text")]
    [InlineData("한국어", "ᄒ ##ᅡ ##ᆫ ##ᄀ ##ᅮ ##ᆨ ##ᄋ ##ᅥ")]
    [InlineData("x你y", "x [UNK] y")]
    public void Ideographs_stand_alone_and_hangul_is_decomposed(string text, string pieces) => AssertPieces(text, pieces);

    [Theory]
    [InlineData("don't", "don ' t")]
    [InlineData("2.5%", "2 . 5 %")]
    [InlineData("state-of-the-art", "state - of - the - art")]
    [InlineData("“quoted”—yes…", "“ quoted ” — yes …")]
    [InlineData("#hashtag ##ing", "# hash ##tag # # ing")]
    [InlineData("a_b$c^d`e", "a _ b $ c ^ d ` e")]
    [InlineData("\u037E", ";")]
    public void Every_punctuation_character_is_a_word(string text, string pieces) => AssertPieces(text, pieces);

    [Theory]
    [InlineData("a\u0000b\u200Bc\u00ADd\uFEFF", "abc ##d")]
    [InlineData("a\u007Fb\u000Bc\uFFFDd\uE000", "abc ##d")]
    [InlineData("tab\there\u00A0now\r\n\u3000then\u2028so", "tab here now then so")]
    [InlineData("   ", "")]
    [InlineData("", "")]
    public void Controls_go_and_every_white_space_is_a_space(string text, string pieces) => AssertPieces(text, pieces);

    [Theory]
    [InlineData("🤗 hi", "[UNK] hi")]
    [InlineData("hi🤗", "[UNK]")]
    public void Unknown_characters_make_their_word_unknown(string text, string pieces) => AssertPieces(text, pieces);

    [Fact]
    public void Words_of_more_than_100_characters_are_unknown()
    {
        AssertPieces(new string('a', 101) + " b", "[UNK] b");

        // The length is that of the normalised word.
        AssertPieces(new string('a', 99) + "\u0301\u0301", "aaa" + string.Concat(Enumerable.Repeat(" ##aa", 48)));
    }

    [Fact]
    public void Json_and_vocabulary_of_one_tokenizer_are_equal()
    {
        if (Load(Vocabulary) is { } text && Load("vocab/bert-base-uncased/tokenizer.json") is { } json)
        {
            Assert.Equal(30522, json.VocabularySize);
            Assert.Equal(new SpecialTokens(0, 100, 101, 102, 103), json.Special);
            Assert.Equal(text.Hash, json.Hash);
            Assert.Equal(text.Hash, Load("vocab/all-MiniLM-L6-v2")!.Hash);
            Assert.Equal(text.Hash, Load("vocab/bert-base-uncased")!.Hash);
        }
    }

    [Theory]
    [InlineData("checkpoints/tiny-bert-random", 256, "t5 t99,T5", "t5 t99 [UNK] [UNK]")]
    [InlineData("checkpoints/microlm-bert-mlm", 500, "Hello, unaffable 🤗", "hel ##l ##o , un ##a ##ff ##ab ##le [UNK]")]
    public void Small_checkpoints_load(string folder, int size, string text, string pieces)
    {
        if (Load(folder) is { } tokenizer)
        {
            Assert.Equal(size, tokenizer.VocabularySize);
            Assert.Equal(new SpecialTokens(0, 1, 2, 3, 4), tokenizer.Special);
            Assert.Equal(pieces, tokenizer.Pieces(text));
        }
    }

    [Fact]
    public void Real_text_survives_a_round_trip_but_for_spacing()
    {
        if (Load(Vocabulary) is not { } tokenizer || SharedData.Find("glue/RTE/dev.tsv") is not { } path)
        {
            return;
        }

        foreach (var line in File.ReadLines(path).Where(line => System.Text.Ascii.IsValid(line)))
        {
            var ids = tokenizer.Ids(line);
            Assert.DoesNotContain(tokenizer.Special.Unknown, ids);
            Assert.Equal(Squeeze(line.ToLowerInvariant()), Squeeze(tokenizer.Decode(ids)));
        }

        static string Squeeze(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));
    }

    private void AssertPieces(string text, string pieces)
    {
        if (Load(Vocabulary) is { } tokenizer)
        {
            Assert.Equal(pieces, tokenizer.Pieces(text));
        }
    }

    private WordPieceTokenizer? Load(string relative)
    {
        if (SharedData.Find(relative) is { } path)
        {
            return TokenizerFile.Load(path);
        }

        output.WriteLine($"Not checked: {relative} is not on this machine.");
        return null;
    }
}
