using System.Runtime.InteropServices;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;
using static TorchSharp.torch;

namespace ActorTrainer.Actors.Coordination;

/// <summary>Rows of a split as tensors.</summary>
public static class RowBatch
{
    /// <summary>Lengths are rounded up to this, so that few shapes occur.</summary>
    private const int Multiple = 8;

    /// <summary>Tokens that these rows are padded to.</summary>
    public static int LengthOf(IEncodedRows source, IReadOnlyList<int> rows, PaddingKind padding) => padding == PaddingKind.Full
        ? source.Sequence
        : Math.Min(source.Sequence, (rows.Max(source.Length) + Multiple - 1) / Multiple * Multiple);

    /// <summary>Token ids [rows, length] int64, padding mask [rows, length] float32 of ones and zeros, labels [rows] int64 or float32.</summary>
    /// <returns>Tensors in no dispose scope, the caller's.</returns>
    public static (Tensor Ids, Tensor Mask, Tensor Labels) Tensors(IEncodedRows source, IReadOnlyList<int> rows, PaddingKind padding)
    {
        var length = LengthOf(source, rows, padding);
        var ids = full([rows.Count, length], source.PadId, ScalarType.Int64).DetachFromDisposeScope();
        var mask = zeros([rows.Count, length], ScalarType.Float32).DetachFromDisposeScope();
        var idData = MemoryMarshal.Cast<byte, long>(ids.bytes);
        var maskData = MemoryMarshal.Cast<byte, float>(mask.bytes);
        for (var i = 0; i < rows.Count; i++)
        {
            var row = source.Ids(rows[i]);
            for (var j = 0; j < row.Length; j++)
            {
                idData[i * length + j] = row[j];
                maskData[i * length + j] = 1;
            }
        }

        var labels = source.Task.IsRegression
            ? tensor([.. rows.Select(source.Label)], ScalarType.Float32)
            : tensor([.. rows.Select(row => (long)source.Label(row))], ScalarType.Int64);
        return (ids, mask, labels.DetachFromDisposeScope());
    }

    /// <summary>The same as payloads.</summary>
    public static (IPayload Inputs, IPayload Targets) Payloads(IEncodedRows source, IReadOnlyList<int> rows, PaddingKind padding)
    {
        var (ids, mask, labels) = Tensors(source, rows, padding);
        return (new TensorPayload(ids, mask), new TensorPayload(labels));
    }
}
