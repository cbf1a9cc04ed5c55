using ActorTrainer.Model.Common;
using ActorTrainer.Model.Tokenization;
using Xunit;

namespace ActorTrainer.Tests.Tokenization;

public class TemplateTests
{
    private static readonly WordPieceTokenizer Tokenizer = new([.. Tokens.OwnSpecials, "a", "b", "c", "d", "x", "y", "z"], TokenizerSettings.Crammed);

    [Fact]
    public void A_single_text_ends_with_a_separator()
    {
        Assert.Equal([7, 8, 5], Tokenizer.EncodeSingle("a b"));
        Assert.Equal([5], Tokenizer.EncodeSingle(""));
    }

    [Fact]
    public void A_pair_has_cls_before_and_separators_after_each()
    {
        Assert.Equal([4, 7, 8, 5, 11, 5], Tokenizer.EncodePair("a b", "x", 128));
        Assert.Equal([4, 7, 8, 5, 5], Tokenizer.EncodePair("a b", "", 128));
    }

    [Fact]
    public void Too_long_pairs_lose_the_end_of_the_longer_text()
    {
        Assert.Equal([4, 7, 8, 5, 11, 5], Tokenizer.EncodePair("a b c d", "x", 6));
        Assert.Equal([4, 7, 8, 9, 5, 5], Tokenizer.EncodePair("a b c d", "", 6));
        Assert.Equal([4, 5, 5], Tokenizer.EncodePair("a b c d", "x y", 3));
        Assert.Contains("at least 3", Assert.Throws<RefusedException>(() => Tokenizer.EncodePair("a", "b", 2)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Truncation_takes_from_the_longer_one_token_at_a_time()
    {
        for (var first = 0; first < 12; first++)
        {
            for (var second = 0; second < 12; second++)
            {
                for (var room = 0; room < 24; room++)
                {
                    // The definition, step by step: a tie goes against the text that was the shorter one, or the first of equals.
                    var (a, b) = (first, second);
                    while (a + b > room)
                    {
                        if (a > b || (a == b && first <= second))
                        {
                            a--;
                        }
                        else
                        {
                            b--;
                        }
                    }

                    Assert.Equal((a, b), TokenizerExtensions.TruncateLongestFirst(first, second, room));
                }
            }
        }
    }
}
