using ActorTrainer.Model.Common;
using ActorTrainer.Model.Tokenization;
using Xunit;

namespace ActorTrainer.Tests.Tokenization;

public class WordPieceTests
{
    [Fact]
    public void The_longest_piece_is_taken_first() =>
        Assert.Equal("un ##aff ##able", Small().Pieces("unaffable"));

    [Fact]
    public void A_word_that_cannot_be_cut_whole_is_one_unknown() =>
        Assert.Equal("un [UNK] un", Small().Pieces("un unaffablex un"));

    [Theory]
    [InlineData(100, "a" + "##a" + "##a")]
    [InlineData(101, "[UNK]")]
    public void Words_of_more_than_100_characters_are_unknown(int length, string begins)
    {
        var pieces = Tokens.Of(TokenizerSettings.BertUncased, "a", "##a").Pieces(new string('a', length)).Split(' ');
        Assert.StartsWith(begins, string.Concat(pieces), StringComparison.Ordinal);
        Assert.Equal(length > 100 ? 1 : length, pieces.Length);
    }

    [Fact]
    public void Characters_outside_the_basic_plane_count_once_each()
    {
        var tokenizer = Tokens.Of(new TokenizerSettings(new NormaliserSettings.None(), PreTokeniser.WhitespaceSplit), "😀", "##😀");
        Assert.Equal(100, tokenizer.Ids(string.Concat(Enumerable.Repeat("😀", 100))).Count);
        Assert.Equal([tokenizer.Special.Unknown], tokenizer.Ids(string.Concat(Enumerable.Repeat("😀", 101))));
    }

    [Fact]
    public void Whitespace_joins_runs_of_punctuation_and_bert_cuts_each_on_its_own()
    {
        Assert.Equal("don '\" ##, [UNK]", Tokens.Of(TokenizerSettings.Crammed, "don", "'\"", "##,", ",", "(", ")").Pieces("don'\",  ()"));
        Assert.Equal("don ' \" , ( )", Tokens.Of(TokenizerSettings.BertUncased, "don", "'", "\"", ",", "(", ")").Pieces("don'\",  ()"));
    }

    [Fact]
    public void Underscores_and_digits_belong_to_words_under_whitespace_and_not_under_bert()
    {
        Assert.Equal("a_1", Tokens.Of(TokenizerSettings.Crammed, "a_1", "a", "_", "1").Pieces("a_1"));
        Assert.Equal("a _ 1", Tokens.Of(TokenizerSettings.BertUncased, "a_1", "a", "_", "1").Pieces("a_1"));
    }

    [Fact]
    public void Whitespace_split_cuts_at_white_space_only()
    {
        var tokenizer = Tokens.Of(new TokenizerSettings(new NormaliserSettings.None(), PreTokeniser.WhitespaceSplit), "a,", "##b", "C");
        Assert.Equal("a, ##b C [UNK]", tokenizer.Pieces("a,b\u2003C\u00A0c"));
    }

    [Fact]
    public void Text_never_becomes_a_special_token_unless_asked()
    {
        var tokenizer = Tokens.Of(TokenizerSettings.BertUncased, "[", "]", "mask", "a");
        Assert.Equal("a [ mask ]", tokenizer.Pieces("a [MASK]"));
        var split = Tokens.Of(new TokenizerSettings(new NormaliserSettings.None(), PreTokeniser.WhitespaceSplit), "a");
        Assert.Equal("a [UNK]", split.Pieces("a [MASK]"));

        var ids = new List<int>();
        tokenizer.EncodeWithSpecials("a[MASK]a [SEP][MASK", ids);
        Assert.Equal("a [MASK] a [SEP] [ mask", string.Join(' ', ids.Select(id => tokenizer.Tokens[id])));
    }

    [Fact]
    public void Decoding_joins_pieces_and_leaves_special_tokens_out()
    {
        var tokenizer = Small();
        var ids = new List<int> { tokenizer.Special.Classify };
        tokenizer.Encode("Unaffable un", ids);
        ids.Add(tokenizer.Special.Separator);
        Assert.Equal("unaffable un", tokenizer.Decode(ids));
        Assert.Equal("[CLS] unaffable un [SEP]", tokenizer.Decode(ids, skipSpecial: false));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(8)]
    public void Decoding_an_id_beyond_the_vocabulary_is_an_error(int id) =>
        Assert.Contains(id.ToString(), Assert.Throws<ArgumentOutOfRangeException>(() => Small().Decode([id])).Message, StringComparison.Ordinal);

    [Fact]
    public void Missing_special_tokens_are_refused_by_name()
    {
        var refusal = Assert.Throws<RefusedException>(() => new WordPieceTokenizer(["[PAD]", "[UNK]", "[SEP]", "a"], TokenizerSettings.BertUncased));
        Assert.Contains("[CLS]", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("[MASK]", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("[PAD] (or", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_that_stands_twice_is_refused_by_name() =>
        Assert.Contains("'un'", Assert.Throws<RefusedException>(() => Tokens.Of(TokenizerSettings.BertUncased, "un", "un")).Message, StringComparison.Ordinal);

    [Fact]
    public void The_hash_depends_on_tokens_their_order_and_the_settings()
    {
        string[] hashes =
        [
            Tokens.Of(TokenizerSettings.BertUncased, "a", "b").Hash,
            Tokens.Of(TokenizerSettings.BertUncased, "b", "a").Hash,
            Tokens.Of(TokenizerSettings.BertUncased, "a", "c").Hash,
            Tokens.Of(TokenizerSettings.BertCased, "a", "b").Hash,
            Tokens.Of(TokenizerSettings.Crammed, "a", "b").Hash,
            Tokens.Of(TokenizerSettings.Crammed with { MaxWordCharacters = 50 }, "a", "b").Hash,
        ];
        Assert.Equal(hashes.Length, hashes.Distinct().Count());
        Assert.Equal(hashes[0], Tokens.Of(TokenizerSettings.BertUncased, "a", "b").Hash);
        Assert.Matches("^[0-9a-f]{64}$", hashes[0]);
    }

    private static WordPieceTokenizer Small() => Tokens.Of(TokenizerSettings.BertUncased, "un", "##aff", "##able");
}
