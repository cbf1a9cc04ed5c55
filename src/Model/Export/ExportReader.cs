using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Model.Export;

/// <summary>
/// Rows of an exported split, in any order; holds the ids and one row in memory. A shard's checksum is verified when the first of its rows is
/// read, once: its file then stays open. One thread at a time.
/// </summary>
public sealed class ExportReader : IDisposable
{
    private readonly string _folder;
    private readonly string[] _ids;
    private readonly OpenShard?[] _open;

    private ExportReader(string folder, ExportManifest manifest, string[] ids)
    {
        (_folder, Manifest, _ids, _open) = (folder, manifest, ids, new OpenShard?[manifest.Shards.Count]);
    }

    /// <summary>What the split holds.</summary>
    public ExportManifest Manifest { get; }

    /// <summary>Rows.</summary>
    public int Count => Manifest.Rows;

    /// <summary>Opens a split's folder: see <see cref="DataExport.FolderOf"/>. Presence and size of all files are checked.</summary>
    /// <exception cref="RefusedException">Unfinished, damaged, or a file is missing; names the file and what was expected.</exception>
    public static ExportReader Open(string folder)
    {
        folder = Path.GetFullPath(folder);
        try
        {
            var manifest = ExportManifest.Load(folder);
            foreach (var shard in manifest.Shards)
            {
                Require(ExportFileCheck.SizeProblem(folder, shard));
            }

            Require(ExportFileCheck.Problem(folder, manifest.Ids, CancellationToken.None));
            var lines = File.ReadAllText(Path.Combine(folder, manifest.Ids.Name), Encoding.UTF8).Split('\n');
            Require(lines.Length == manifest.Rows + 1L && lines[^1].Length == 0
                ? null
                : $"{Path.Combine(folder, manifest.Ids.Name)}: expected {manifest.Rows} lines, found {lines.Length - 1}");
            return new(folder, manifest, lines[..^1]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{folder}: cannot be read ({e.Message}).", e);
        }
    }

    /// <summary>Reads a row.</summary>
    /// <param name="row">0 … <see cref="Count"/> − 1; fastest in ascending order.</param>
    /// <param name="embedded">Gets the embedded tokens, sequence × hidden, row-major.</param>
    /// <param name="mask">Gets 1 at tokens and 0 at padding.</param>
    /// <exception cref="ArgumentException">There is no such row, or a span has another length.</exception>
    /// <exception cref="RefusedException">The row's shard is damaged; names the file and what was expected.</exception>
    public ExportedRow Read(int row, Span<float> embedded, Span<byte> mask)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Count);
        if (embedded.Length != (long)Manifest.Sequence * Manifest.Hidden || mask.Length != Manifest.Sequence)
        {
            throw new ArgumentException(
                $"Expected room for {Manifest.Sequence}·{Manifest.Hidden} numbers and {Manifest.Sequence} bytes, found {embedded.Length} and {mask.Length}.");
        }

        var shard = row / Manifest.RowsPerShard;
        try
        {
            return Shard(shard).Read(row - Manifest.FirstRow(shard), embedded, mask) with { Row = row, Id = _ids[row] };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(shard, e);
        }
    }

    /// <summary>Reads a row but its tensors.</summary>
    /// <param name="row">0 … <see cref="Count"/> − 1.</param>
    /// <exception cref="ArgumentException">There is no such row.</exception>
    /// <exception cref="RefusedException">The row's shard is damaged; names the file and what was expected.</exception>
    public ExportedRow Describe(int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Count);
        var shard = row / Manifest.RowsPerShard;
        try
        {
            return Shard(shard).Describe(row - Manifest.FirstRow(shard)) with { Row = row, Id = _ids[row] };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(shard, e);
        }
    }

    /// <summary>Verifies the checksums of all shards.</summary>
    /// <exception cref="RefusedException">One is damaged; names the file and what was expected.</exception>
    public void Verify(Action<ExportProgress>? progress = null, CancellationToken cancellation = default)
    {
        var rows = 0;
        foreach (var shard in Manifest.Shards)
        {
            Require(ExportFileCheck.Problem(_folder, shard, cancellation));
            rows += shard.Rows;
            progress?.Invoke(new(Manifest.Split, true, rows, Count));
        }
    }

    /// <summary>Closes the files.</summary>
    public void Dispose() => Array.ForEach(_open, shard => shard?.Dispose());

    private OpenShard Shard(int index) => _open[index] ??= OpenShard.Verified(_folder, Manifest, index);

    private RefusedException Unreadable(int shard, Exception e) => new($"{Path.Combine(_folder, Manifest.Shards[shard].Name)}: cannot be read ({e.Message}).", e);

    private static void Require(string? problem)
    {
        if (problem is not null)
        {
            throw new RefusedException($"{problem}. Run the same export again to restore it.");
        }
    }

    /// <summary>A verified shard.</summary>
    private sealed class OpenShard : IDisposable
    {
        private readonly SafeFileHandle _file;
        private readonly SafeTensorsHeader _header;
        private readonly ExportLayout _layout;

        private OpenShard(int index, SafeFileHandle file, SafeTensorsHeader header, ExportLayout layout)
        {
            (Index, _file, _header, _layout) = (index, file, header, layout);
        }

        public int Index { get; }

        public static OpenShard Verified(string folder, ExportManifest manifest, int index)
        {
            var shard = manifest.Shards[index];
            Require(ExportFileCheck.Problem(folder, shard, CancellationToken.None));
            var header = SafeTensorsHeader.Read(Path.Combine(folder, shard.Name));
            foreach (var expected in manifest.Layout.Tensors(shard.Rows))
            {
                var found = header[expected.Name];
                Require(found.DType == expected.DType && found.Shape.SequenceEqual(expected.Shape)
                    ? null
                    : $"{header.Path}: tensor {expected.Name} is {found.DType} {found.ShapeText}, expected {expected.DType} {expected.ShapeText}");
            }

            return new(index, File.OpenHandle(header.Path), header, manifest.Layout);
        }

        public ExportedRow Read(int row, Span<float> embedded, Span<byte> mask)
        {
            ReadRow(ExportLayout.Embedded, row, MemoryMarshal.AsBytes(embedded));
            ReadRow(ExportLayout.Mask, row, mask);
            return Describe(row);
        }

        public ExportedRow Describe(int row)
        {
            Span<byte> value = stackalloc byte[sizeof(long)];
            ReadRow(ExportLayout.TokenCount, row, value[..sizeof(int)]);
            var tokens = BinaryPrimitives.ReadInt32LittleEndian(value);
            var label = value[..(_layout.IsRegression ? sizeof(float) : sizeof(long))];
            ReadRow(ExportLayout.Label, row, label);
            return new(row, "", tokens, _layout.IsRegression ? BinaryPrimitives.ReadSingleLittleEndian(label) : BinaryPrimitives.ReadInt64LittleEndian(label));
        }

        public void Dispose() => _file.Dispose();

        private void ReadRow(string tensor, int row, Span<byte> target)
        {
            var offset = _header.DataStart + _header[tensor].Begin + (long)row * target.Length;
            while (!target.IsEmpty)
            {
                var count = RandomAccess.Read(_file, target, offset);
                if (count == 0)
                {
                    throw new RefusedException($"{_header.Path}: ends inside tensor {tensor}; it was changed while it was read.");
                }

                target = target[count..];
                offset += count;
            }
        }
    }
}
