using System.Collections.Concurrent;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Model.Data;
using TorchSharp;

namespace ActorTrainer.Actors.Coordination;

/// <summary>
/// Masked-language-model micro-batches as tensors: inputs [rows, sequence] int64; targets are positions [N] and labels [N],
/// int64, N = rows × masked tokens per row, positions flattened over rows × sequence.
/// </summary>
/// <param name="train">Training blocks.</param>
/// <param name="heldOut">Held-out blocks.</param>
/// <param name="trainCounts">How often each token occurs in the training blocks.</param>
/// <param name="tokensPerSequence">Tokens of a block.</param>
/// <param name="targetsPerSequence">Masked tokens of a block.</param>
/// <param name="heldOutBlocks">Held-out blocks there are.</param>
public sealed class MlmBatchSource(
    MlmBatcher train, MlmBatcher heldOut, long[] trainCounts, int tokensPerSequence, int targetsPerSequence, long heldOutBlocks) : IBatchSource
{
    private readonly ConcurrentDictionary<long, double> _baselines = new();

    /// <inheritdoc/>
    public int TokensPerSequence => tokensPerSequence;

    /// <inheritdoc/>
    public int TargetsPerSequence => targetsPerSequence;

    /// <inheritdoc/>
    public long HeldOutSequences => heldOutBlocks;

    /// <inheritdoc/>
    public (IPayload Inputs, IPayload Targets) Take(long first, int rows, long step) => Payloads(train.Take(first, rows, step));

    /// <inheritdoc/>
    public (IPayload Inputs, IPayload Targets) TakeHeldOut(long first, int rows) => Payloads(heldOut.TakeHeldOut(first, rows));

    /// <inheritdoc/>
    public double HeldOutBaseline(long sequences) => _baselines.GetOrAdd(
        sequences, n => UnigramBaseline.CrossEntropy(trainCounts, heldOut.TakeHeldOut(0, (int)n).Labels));

    private static (IPayload Inputs, IPayload Targets) Payloads(MlmBatch batch) => (
        new TensorPayload(Int64(batch.Inputs, batch.Rows, batch.Sequence)),
        new TensorPayload(Int64(batch.Positions, batch.Positions.Length), Int64(batch.Labels, batch.Labels.Length)));

    private static torch.Tensor Int64(int[] values, params long[] shape)
    {
        var tensor = torch.empty(shape, torch.ScalarType.Int64).DetachFromDisposeScope();
        var data = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(tensor.bytes);
        for (var i = 0; i < values.Length; i++)
        {
            data[i] = values[i];
        }

        return tensor;
    }
}
