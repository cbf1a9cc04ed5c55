using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Glue;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Export;

/// <summary>Writes shards front to back; holds one block of embedded rows in memory.</summary>
internal sealed class ExportShardWriter(EmbeddingUnit embedding, ExportLayout layout, IEncodedRows rows, int blockRows)
{
    private readonly bool _hasLabels = EncodedRowsCheck.HasLabels(rows);

    /// <summary>Writes a shard, atomically.</summary>
    /// <param name="path">The file.</param>
    /// <param name="first">Its first row.</param>
    /// <param name="count">Its rows.</param>
    /// <param name="embedded">Told how many of them are embedded, after each block.</param>
    public ExportFile Write(string path, int first, int count, Action<int> embedded, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var bytes = 0L;
        AtomicFile.Write(path, stream =>
        {
            var entries = layout.Tensors(count);
            Put(SafeTensorsHeader.Serialize(entries, null));
            foreach (var entry in entries)
            {
                var before = bytes;
                WriteTensor(entry.Name, first, count, Put, embedded, cancellation);
                if (bytes - before != entry.Length)
                {
                    throw new InvalidOperationException($"{path}: tensor {entry.Name} took {bytes - before} bytes, not {entry.Length}.");
                }
            }

            void Put(ReadOnlySpan<byte> data)
            {
                hash.AppendData(data);
                stream.Write(data);
                bytes += data.Length;
            }
        });
        return new(Path.GetFileName(path), count, bytes, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private void WriteTensor(string name, int first, int count, TensorBytes.SpanAction put, Action<int> embedded, CancellationToken cancellation)
    {
        if (name == ExportLayout.Embedded)
        {
            for (var done = 0; done < count;)
            {
                cancellation.ThrowIfCancellationRequested();
                var block = Math.Min(blockRows, count - done);
                Embed(first + done, block, put);
                done += block;
                embedded(done);
            }

            return;
        }

        Span<byte> value = name == ExportLayout.Mask ? new byte[layout.Sequence] : stackalloc byte[sizeof(long)];
        for (var row = first; row < first + count; row++)
        {
            put(value[..Fill(name, row, value)]);
        }
    }

    /// <summary>A row of one of the small tensors; returns its bytes.</summary>
    private int Fill(string name, int row, Span<byte> value)
    {
        switch (name)
        {
            case ExportLayout.Mask:
                value[..rows.Length(row)].Fill(1);
                value[rows.Length(row)..].Clear();
                return value.Length;
            case ExportLayout.TokenCount:
                BinaryPrimitives.WriteInt32LittleEndian(value, rows.Length(row));
                return sizeof(int);
            case ExportLayout.Label when layout.IsRegression:
                BinaryPrimitives.WriteSingleLittleEndian(value, _hasLabels ? rows.Label(row) : float.NaN);
                return sizeof(float);
            case ExportLayout.Label:
                BinaryPrimitives.WriteInt64LittleEndian(value, _hasLabels ? (long)rows.Label(row) : -1);
                return sizeof(long);
            case ExportLayout.Row:
                BinaryPrimitives.WriteInt64LittleEndian(value, row);
                return sizeof(long);
            default:
                throw new ArgumentOutOfRangeException(nameof(name), name, "No such tensor.");
        }
    }

    private void Embed(int first, int count, TensorBytes.SpanAction put)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var ids = empty([count, layout.Sequence], ScalarType.Int32, CPU);
        var values = MemoryMarshal.Cast<byte, int>(ids.bytes);
        for (var i = 0; i < count; i++)
        {
            var target = values.Slice(i * layout.Sequence, layout.Sequence);
            var length = rows.Length(first + i);
            rows.Ids(first + i)[..length].CopyTo(target);
            target[length..].Fill(rows.PadId);
        }

        TensorBytes.Visit(embedding.Forward(ids.to(embedding.Table.device), new ForwardContext(0, 0, 0, Training: false)), put);
    }
}
