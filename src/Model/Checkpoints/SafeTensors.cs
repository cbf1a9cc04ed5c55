using System.Buffers;
using ActorTrainer.Model.Common;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>
/// Tensors in the safetensors format. Files are written atomically and deterministically: entries ordered by element size
/// (large first, for alignment), then by name, whatever the order of the arguments.
/// </summary>
public static class SafeTensors
{
    private const int CopyBuffer = 1 << 20;

    /// <summary>Reads and checks a file's header; see <see cref="SafeTensorsHeader.Read(string)"/>.</summary>
    /// <exception cref="RefusedException">Not a valid safetensors file.</exception>
    public static SafeTensorsHeader Read(string path) => SafeTensorsHeader.Read(path);

    /// <summary>Writes the tensors (any device, any layout) to a file; it appears complete or not at all.</summary>
    /// <exception cref="ArgumentException">Two tensors share a name, or a type has no name in the format.</exception>
    public static void Write(string path, IEnumerable<(string Name, Tensor Value)> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var list = tensors.ToList();
        AtomicFile.Write(path, stream => Write(stream, list, metadata));
    }

    /// <summary>Writes the tensors to a stream.</summary>
    /// <exception cref="ArgumentException">Two tensors share a name, or a type has no name in the format.</exception>
    public static void Write(Stream stream, IEnumerable<(string Name, Tensor Value)> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var values = tensors.ToDictionary(pair => pair.Name, pair => pair.Value, StringComparer.Ordinal);
        var entries = LayOut(values.Select(pair => (
            pair.Key,
            SafeTensorsType.Name(pair.Value.dtype) ?? throw new ArgumentException($"Tensor {pair.Key} is {pair.Value.dtype}, which safetensors cannot hold."),
            (IReadOnlyList<long>)pair.Value.shape)));
        stream.Write(SafeTensorsHeader.Serialize(entries, metadata));
        foreach (var entry in entries)
        {
            TensorBytes.Visit(values[entry.Name], stream.Write);
        }
    }

    /// <summary>Copies one tensor of a file into <paramref name="target"/>, in place and outside the gradient graph; floating types are converted.</summary>
    /// <exception cref="RefusedException">No such tensor, another shape, or a type that cannot become the target's.</exception>
    public static void LoadInto(SafeTensorsHeader header, string name, Tensor target)
    {
        var entry = header[name];
        if (!entry.Shape.SequenceEqual(target.shape))
        {
            throw new RefusedException($"{header.Path}: tensor {name} should have shape [{string.Join(", ", target.shape)}], found {entry.ShapeText}.");
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var type = TorchType(header, entry);
        if (type == target.dtype && target.device_type == TorchSharp.DeviceType.CPU && target.is_contiguous())
        {
            ReadBytes(header, entry, target.detach());
            return;
        }

        if (type != target.dtype && !(is_floating_point(type) && is_floating_point(target.dtype)))
        {
            throw new RefusedException($"{header.Path}: tensor {name} is {entry.DType}, expected {SafeTensorsType.Name(target.dtype)} or another floating type.");
        }

        target.detach().copy_(Load(header, name));
    }

    /// <summary>One tensor of a file, on the CPU in the file's type.</summary>
    /// <exception cref="RefusedException">No such tensor, or a type that Torch does not have.</exception>
    public static Tensor Load(SafeTensorsHeader header, string name)
    {
        var entry = header[name];
        using var scope = NewDisposeScope();
        var result = empty([.. entry.Shape], TorchType(header, entry), CPU);
        ReadBytes(header, entry, result);
        return result.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Writes a file from tensors of other files, byte by byte with a small buffer: neither their type nor their size matters.
    /// A source may be used more than once.
    /// </summary>
    /// <exception cref="RefusedException">A source is not valid or lacks its tensor; nothing is written.</exception>
    public static void Merge(
        string path, IEnumerable<(string Name, string SourceFile, string SourceName)> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var headers = new Dictionary<string, SafeTensorsHeader>(StringComparer.Ordinal);
        var sources = new Dictionary<string, (SafeTensorsHeader Header, SafeTensorsEntry Entry)>(StringComparer.Ordinal);
        foreach (var (name, file, sourceName) in tensors)
        {
            if (!headers.TryGetValue(file, out var header))
            {
                headers[file] = header = SafeTensorsHeader.Read(file);
            }

            sources.Add(name, (header, header[sourceName]));
        }

        var entries = LayOut(sources.Select(pair => (pair.Key, pair.Value.Entry.DType, pair.Value.Entry.Shape)));
        AtomicFile.Write(path, stream =>
        {
            stream.Write(SafeTensorsHeader.Serialize(entries, metadata));
            foreach (var entry in entries)
            {
                var (header, source) = sources[entry.Name];
                Copy(header, source, stream);
            }
        });
    }

    /// <summary>True when two tensors of files have the same type, shape and bytes.</summary>
    internal static bool SameBytes(SafeTensorsHeader first, string firstName, SafeTensorsHeader second, string secondName)
    {
        var (a, b) = (first[firstName], second[secondName]);
        if (a.DType != b.DType || !a.Shape.SequenceEqual(b.Shape))
        {
            return false;
        }

        using var left = Open(first, a);
        using var right = Open(second, b);
        var (x, y) = (new byte[CopyBuffer], new byte[CopyBuffer]);
        for (var remaining = a.Length; remaining > 0;)
        {
            var count = (int)Math.Min(remaining, CopyBuffer);
            left.ReadExactly(x, 0, count);
            right.ReadExactly(y, 0, count);
            if (!x.AsSpan(0, count).SequenceEqual(y.AsSpan(0, count)))
            {
                return false;
            }

            remaining -= count;
        }

        return true;
    }

    /// <summary>The file order of tensors, and their offsets.</summary>
    internal static List<SafeTensorsEntry> LayOut(IEnumerable<(string Name, string DType, IReadOnlyList<long> Shape)> tensors)
    {
        var position = 0L;
        var entries = new List<SafeTensorsEntry>();
        foreach (var (name, type, shape) in tensors.OrderByDescending(t => SafeTensorsType.Size(t.DType)).ThenBy(t => t.Name, StringComparer.Ordinal))
        {
            var length = shape.Aggregate((long)SafeTensorsType.Size(type)!.Value, (product, size) => checked(product * size));
            entries.Add(new(name, type, shape, position, position + length));
            position += length;
        }

        return entries;
    }

    private static ScalarType TorchType(SafeTensorsHeader header, SafeTensorsEntry entry) =>
        SafeTensorsType.Torch(entry.DType)
        ?? throw new RefusedException($"{header.Path}: tensor {entry.Name} is {entry.DType}, which Torch tensors here cannot hold; convert the file first.");

    private static void ReadBytes(SafeTensorsHeader header, SafeTensorsEntry entry, Tensor target)
    {
        using var stream = Open(header, entry);
        try
        {
            foreach (var piece in TensorBytes.Pieces(target))
            {
                stream.ReadExactly(piece.bytes);
            }
        }
        catch (IOException e)
        {
            throw new RefusedException($"{header.Path}: tensor {entry.Name} cannot be read ({e.Message}).", e);
        }
    }

    private static void Copy(SafeTensorsHeader header, SafeTensorsEntry entry, Stream target)
    {
        using var source = Open(header, entry);
        var buffer = ArrayPool<byte>.Shared.Rent(CopyBuffer);
        try
        {
            for (var remaining = entry.Length; remaining > 0;)
            {
                var count = (int)Math.Min(remaining, CopyBuffer);
                source.ReadExactly(buffer, 0, count);
                target.Write(buffer, 0, count);
                remaining -= count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The file at the tensor's first byte, unbuffered: reads are large.</summary>
    private static FileStream Open(SafeTensorsHeader header, SafeTensorsEntry entry)
    {
        try
        {
            return new(header.Path, FileMode.Open, FileAccess.Read, FileShare.Read, 1) { Position = header.DataStart + entry.Begin };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{header.Path}: cannot be read ({e.Message}).", e);
        }
    }
}
