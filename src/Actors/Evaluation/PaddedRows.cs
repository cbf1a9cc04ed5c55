using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;
using static TorchSharp.torch;

namespace ActorTrainer.Actors.Evaluation;

/// <summary>Rows of different lengths as one tensor.</summary>
public static class PaddedRows
{
    private const int Multiple = 8;

    /// <summary>Tokens that <paramref name="chosen"/> rows are padded to.</summary>
    public static int Width(IEncodedRows rows, IReadOnlyList<int> chosen, PaddingKind padding)
    {
        var longest = padding == PaddingKind.Full ? rows.Sequence : Math.Max(1, chosen.Max(rows.Length));
        return Math.Min(rows.Sequence, (longest + Multiple - 1) / Multiple * Multiple);
    }

    /// <summary>Token ids and mask (1 at tokens, 0 at padding), both [rows, width] int64 on the CPU.</summary>
    public static (Tensor Ids, Tensor Mask) Take(IEncodedRows rows, IReadOnlyList<int> chosen, int width)
    {
        var ids = new long[chosen.Count * width];
        var mask = new long[ids.Length];
        Array.Fill(ids, rows.PadId);
        for (var i = 0; i < chosen.Count; i++)
        {
            var row = rows.Ids(chosen[i])[..rows.Length(chosen[i])];
            for (var j = 0; j < row.Length; j++)
            {
                ids[i * width + j] = row[j];
            }

            mask.AsSpan(i * width, row.Length).Fill(1);
        }

        return (tensor(ids, [chosen.Count, width]), tensor(mask, [chosen.Count, width]));
    }
}
