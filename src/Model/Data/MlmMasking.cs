using ActorTrainer.Model.Common;
using ActorTrainer.Model.Tokenization;

namespace ActorTrainer.Model.Data;

/// <summary>
/// Masks rows for masked language modelling (Devlin et al., 2019) with exact counts: in each row k = round(p·S) positions are to be
/// predicted, of which round(0.1·k) show a random token, round(0.1·k) the true one, and the rest the mask token. Rows of 128 with
/// p = 0.25 have 32 positions: 26 masked, 3 random, 3 kept. Padding is never chosen, nor a classification token
/// that begins a row.
/// </summary>
public sealed class MlmMasking
{
    private readonly SpecialTokens _special;
    private readonly int[] _excluded;
    private readonly int _ordinary;

    /// <param name="vocabulary">Random tokens are uniform over [0, vocabulary) without the special ones.</param>
    /// <param name="sequence">Tokens of a row, S.</param>
    /// <param name="probability">Share of the tokens to predict, p.</param>
    /// <exception cref="RefusedException">No position of a row, or more than all, would be predicted; no ordinary token exists.</exception>
    public MlmMasking(SpecialTokens special, int vocabulary, int sequence, double probability)
    {
        Sequence = sequence;
        MaskedPerRow = (int)Math.Round(probability * sequence, MidpointRounding.AwayFromZero);
        if (!(probability is > 0 and <= 1) || MaskedPerRow < 1)
        {
            throw new RefusedException(
                $"An MLM probability of {probability} in rows of {sequence} predicts no token or too many; expected one in (0, 1] that gives at least 1.");
        }

        RandomPerRow = (int)Math.Round(0.1 * MaskedPerRow, MidpointRounding.AwayFromZero);
        KeptPerRow = RandomPerRow;
        _special = special;

        // Vocabularies of our own also have s (1) and /s (2), which the record has no names for.
        int[] unnamed = special == SpecialTokens.Own ? [1, 2] : [];
        _excluded = [.. new[] { special.Pad, special.Unknown, special.Classify, special.Separator, special.Mask }
            .Concat(unnamed).Where(id => id >= 0 && id < vocabulary).Distinct().Order()];
        _ordinary = vocabulary - _excluded.Length;
        if (_ordinary < 1 || special.Mask < 0 || special.Mask >= vocabulary)
        {
            throw new RefusedException(
                $"A vocabulary of {vocabulary} has no mask token (id {special.Mask}) or no ordinary tokens; is it the tokenizer's?");
        }
    }

    /// <summary>S.</summary>
    public int Sequence { get; }

    /// <summary>k: positions predicted in each row.</summary>
    public int MaskedPerRow { get; }

    /// <summary>Of these, positions that show a random token.</summary>
    public int RandomPerRow { get; }

    /// <summary>Of these, positions that show the true token.</summary>
    public int KeptPerRow { get; }

    /// <summary>Masks a row in place.</summary>
    /// <param name="random">The row's own stream; it alone decides.</param>
    /// <param name="row">Token ids [S]; becomes the input of the model.</param>
    /// <param name="positions">Receives the predicted positions [k], ascending.</param>
    /// <param name="labels">Receives the true ids there [k].</param>
    /// <exception cref="RefusedException">Fewer than k tokens of the row are not padding.</exception>
    public void Apply(CounterRandom random, Span<int> row, Span<int> positions, Span<int> labels)
    {
        if (row.Length != Sequence || positions.Length != MaskedPerRow || labels.Length != MaskedPerRow)
        {
            throw new ArgumentException($"Expected a row of {Sequence} and {MaskedPerRow} positions and labels.");
        }

        Span<int> candidates = Sequence <= 1024 ? stackalloc int[Sequence] : new int[Sequence];
        var count = 0;
        for (var i = 0; i < row.Length; i++)
        {
            if (row[i] != _special.Pad && (i > 0 || row[i] != _special.Classify))
            {
                candidates[count++] = i;
            }
        }

        if (count < MaskedPerRow)
        {
            throw new RefusedException(
                $"A block has {count} tokens that are not padding, fewer than the {MaskedPerRow} to predict in each row; "
                + "use data without padded rows or a smaller MLM probability.");
        }

        Shuffle(ref random, candidates[..count], MaskedPerRow);
        candidates[..MaskedPerRow].CopyTo(positions);
        positions.Sort();
        for (var i = 0; i < positions.Length; i++)
        {
            labels[i] = row[positions[i]];
        }

        for (var i = 0; i < MaskedPerRow; i++)
        {
            if (i < RandomPerRow)
            {
                row[candidates[i]] = Ordinary(random.NextInt(_ordinary));
            }
            else if (i >= RandomPerRow + KeptPerRow)
            {
                row[candidates[i]] = _special.Mask;
            }
        }
    }

    /// <summary>The first steps of a Fisher-Yates shuffle: the head becomes a uniform sample in random order.</summary>
    private static void Shuffle(ref CounterRandom random, Span<int> items, int head)
    {
        for (var i = 0; i < head; i++)
        {
            var j = i + random.NextInt(items.Length - i);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>The n-th id that is not special.</summary>
    private int Ordinary(int n)
    {
        foreach (var special in _excluded)
        {
            n += n >= special ? 1 : 0;
        }

        return n;
    }
}
