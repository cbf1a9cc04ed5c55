using ActorTrainer.Model.Common;
using ActorTrainer.Model.Data;
using ActorTrainer.Model.Tokenization;
using Xunit;

namespace ActorTrainer.Tests.Data;

public class MlmMaskingTests
{
    private const int Vocabulary = 1000;

    [Fact]
    public void Rows_of_128_at_a_quarter_have_26_masks_3_random_and_3_kept_tokens()
    {
        var masking = new MlmMasking(SpecialTokens.Own, Vocabulary, 128, 0.25);
        Assert.Equal((32, 3, 3), (masking.MaskedPerRow, masking.RandomPerRow, masking.KeptPerRow));
        for (var n = 0; n < 200; n++)
        {
            // One id everywhere, so that a random token is seen (the true one may be drawn: probability 1/993).
            var (row, positions, labels) = Apply(masking, n, Enumerable.Repeat(500, 128).ToArray());
            Assert.Equal(26, row.Count(id => id == SpecialTokens.Own.Mask));
            Assert.InRange(row.Count(id => id != 500 && id != SpecialTokens.Own.Mask), 2, 3);
            Assert.Equal(positions.Order().Distinct(), positions);
            Assert.All(labels, label => Assert.Equal(500, label));
            Assert.All(Enumerable.Range(0, 128).Except(positions), i => Assert.Equal(500, row[i]));
        }
    }

    [Theory]
    [InlineData(128, 0.15, 19, 2)]
    [InlineData(16, 0.25, 4, 0)]
    [InlineData(64, 0.25, 16, 2)]
    [InlineData(4, 1.0, 4, 0)]
    [InlineData(10, 0.5, 5, 1)]
    public void Counts_are_rounded(int sequence, double probability, int masked, int random)
    {
        var masking = new MlmMasking(SpecialTokens.Own, Vocabulary, sequence, probability);
        Assert.Equal((masked, random, random), (masking.MaskedPerRow, masking.RandomPerRow, masking.KeptPerRow));
    }

    [Fact]
    public void Labels_are_the_true_tokens()
    {
        var masking = new MlmMasking(SpecialTokens.Own, Vocabulary, 64, 0.25);
        var truth = Enumerable.Range(100, 64).ToArray();
        var (_, positions, labels) = Apply(masking, 1, [.. truth]);
        Assert.Equal(positions.Select(i => truth[i]), labels);
    }

    [Fact]
    public void Padding_is_never_chosen_and_a_row_with_too_few_tokens_is_refused()
    {
        var masking = new MlmMasking(SpecialTokens.Own, Vocabulary, 16, 0.25);
        for (var n = 0; n < 100; n++)
        {
            var padded = Enumerable.Range(0, 16).Select(i => i % 3 == 0 ? 50 : SpecialTokens.Own.Pad).ToArray();
            var (row, positions, _) = Apply(masking, n, padded);
            Assert.All(positions, i => Assert.Equal(0, i % 3));
            Assert.Equal(10, row.Count(id => id == SpecialTokens.Own.Pad));
        }

        var refusal = Assert.Throws<RefusedException>(() => Apply(masking, 0, [50, 50, 50, .. new int[13]]));
        Assert.Contains("3 tokens that are not padding, fewer than the 4", refusal.Message);
    }

    [Fact]
    public void A_classification_token_that_begins_a_row_is_never_chosen()
    {
        var masking = new MlmMasking(SpecialTokens.Own, Vocabulary, 16, 0.9);
        var begun = Enumerable.Repeat(50, 16).ToArray();
        begun[0] = SpecialTokens.Own.Classify;
        for (var n = 0; n < 100; n++)
        {
            var (row, positions, _) = Apply(masking, n, begun);
            Assert.DoesNotContain(0, positions);
            Assert.Equal(SpecialTokens.Own.Classify, row[0]);
        }
    }

    [Fact]
    public void Positions_are_uniform_and_random_tokens_are_uniform_over_those_that_are_not_special()
    {
        const int Small = 20;
        const int Rows = 20_000;
        var masking = new MlmMasking(SpecialTokens.Own, Small, 32, 0.5);
        var atPosition = new int[32];
        var drawn = new int[Small];
        for (var n = 0; n < Rows; n++)
        {
            // A separator is an ordinary choice of position, so a special id tells random tokens from kept ones.
            var (row, positions, _) = Apply(masking, n, Enumerable.Repeat(SpecialTokens.Own.Separator, 32).ToArray());
            foreach (var i in positions)
            {
                atPosition[i]++;
                drawn[row[i]]++;
            }
        }

        Assert.All(atPosition, count => Assert.InRange(count, Rows / 2 - 500, Rows / 2 + 500));
        Assert.Equal(Rows * 12, drawn[SpecialTokens.Own.Mask]);
        Assert.Equal(Rows * 2, drawn[SpecialTokens.Own.Separator]);
        Assert.Equal(0, drawn[0] + drawn[1] + drawn[2] + drawn[3] + drawn[4]);
        var expected = Rows * 2.0 / 13;
        Assert.All(drawn[7..], count => Assert.InRange(count, expected - 6 * Math.Sqrt(expected), expected + 6 * Math.Sqrt(expected)));
    }

    [Fact]
    public void Special_ids_elsewhere_in_a_vocabulary_are_left_out_of_random_tokens()
    {
        var special = new SpecialTokens(Pad: 0, Unknown: 10, Classify: 11, Separator: 12, Mask: 13);
        var masking = new MlmMasking(special, 15, 10, 1.0);
        var seen = new HashSet<int>();
        for (var n = 0; n < 500; n++)
        {
            seen.UnionWith(Apply(masking, n, Enumerable.Repeat(14, 10).ToArray()).Row);
        }

        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14], seen.Order());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.001)]
    [InlineData(1.5)]
    [InlineData(double.NaN)]
    public void A_probability_that_predicts_nothing_or_too_much_is_refused(double probability) =>
        Assert.Throws<RefusedException>(() => new MlmMasking(SpecialTokens.Own, Vocabulary, 128, probability));

    [Fact]
    public void A_vocabulary_without_the_mask_token_or_ordinary_ones_is_refused()
    {
        Assert.Throws<RefusedException>(() => new MlmMasking(SpecialTokens.Own, 6, 128, 0.25));
        Assert.Throws<RefusedException>(() => new MlmMasking(SpecialTokens.Own, 7, 128, 0.25));
    }

    private static (int[] Row, int[] Positions, int[] Labels) Apply(MlmMasking masking, long n, int[] row)
    {
        var positions = new int[masking.MaskedPerRow];
        var labels = new int[masking.MaskedPerRow];
        masking.Apply(CounterRandom.Of(1, RandomPurpose.MlmMask, n), row, positions, labels);
        return (row, positions, labels);
    }
}
