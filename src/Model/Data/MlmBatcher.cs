using ActorTrainer.Model.Common;
using ActorTrainer.Model.Tokenization;

namespace ActorTrainer.Model.Data;

/// <summary>
/// Batches as pure functions of where they stand in the run, so that a resumed run, another cut into micro-batches or another
/// machine sees the same rows with the same masks. Safe to use from many threads.
/// </summary>
public sealed class MlmBatcher
{
    /// <summary>Held-out masks do not follow the seed of the run: losses of different runs are over the same tokens.</summary>
    private const ulong HeldOutSeed = 0;

    private readonly TokenDataset _data;
    private readonly MlmMasking _masking;
    private readonly ulong _seed;

    /// <param name="data">Blocks of one split.</param>
    /// <param name="vocabulary">Bound of random replacement tokens.</param>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="probability">Share of the tokens to predict.</param>
    /// <exception cref="RefusedException">The probability does not fit, or ids of the data exceed the vocabulary.</exception>
    public MlmBatcher(TokenDataset data, SpecialTokens special, int vocabulary, ulong seed, double probability)
    {
        if (data.Manifest.Vocabulary > vocabulary)
        {
            throw new RefusedException(
                $"The prepared data has a vocabulary of {data.Manifest.Vocabulary}, the model one of {vocabulary}; raise arch.vocabulary.");
        }

        _data = data;
        _seed = seed;
        _masking = new(special, vocabulary, data.BlockLength, probability);
    }

    /// <summary>Predicted positions in each row.</summary>
    public int MaskedPerRow => _masking.MaskedPerRow;

    /// <summary>
    /// Training rows by their number since the start of the run: number n is position n mod BlockCount of epoch n div BlockCount
    /// in <see cref="BlockOrder"/>, and its masks depend on (seed, epoch, step, position).
    /// </summary>
    /// <param name="firstSequence">Number of the first row.</param>
    /// <param name="step">The optimiser step that the rows are for.</param>
    public MlmBatch Take(long firstSequence, int rows, long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstSequence);
        return Fill(rows, row =>
        {
            var (epoch, index) = Math.DivRem(firstSequence + row, _data.BlockCount);
            return (BlockOrder.BlockAt(_seed, epoch, index, _data.BlockCount), CounterRandom.Of(_seed, RandomPurpose.MlmMask, epoch, step, index));
        });
    }

    /// <summary>Blocks in file order, each with masks that depend on its number alone.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many blocks.</exception>
    public MlmBatch TakeHeldOut(long firstBlock, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstBlock);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstBlock + rows, _data.BlockCount);
        return Fill(rows, row => (firstBlock + row, CounterRandom.Of(HeldOutSeed, RandomPurpose.HeldOut, firstBlock + row)));
    }

    private MlmBatch Fill(int rows, Func<int, (long Block, CounterRandom Random)> locate)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        if (_data.BlockCount == 0)
        {
            throw new InvalidOperationException($"The {_data.Split} split has no blocks.");
        }

        var (length, masked) = (_data.BlockLength, _masking.MaskedPerRow);
        var batch = new MlmBatch(rows, length, masked, new int[rows * length], new int[rows * masked], new int[rows * masked]);
        for (var row = 0; row < rows; row++)
        {
            var (block, random) = locate(row);
            var inputs = batch.Inputs.AsSpan(row * length, length);
            var positions = batch.Positions.AsSpan(row * masked, masked);
            _data.Read(block, inputs);
            _masking.Apply(random, inputs, positions, batch.Labels.AsSpan(row * masked, masked));
            foreach (ref var position in positions)
            {
                position += row * length;
            }
        }

        return batch;
    }
}
