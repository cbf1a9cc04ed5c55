using System.Buffers.Binary;
using ActorTrainer.Actors.DataPlane.Tcp;
using TorchSharp;
using static TorchSharp.torch;

namespace ActorTrainer.Actors.DataPlane;

/// <summary>Some tensors. Written as: count (byte), then per tensor type (byte), rank (byte), sizes (8 bytes each), raw data.</summary>
/// <param name="tensors">Tensors that the payload owns; they must be outside of dispose scopes.</param>
public sealed class TensorPayload(params Tensor[] tensors) : IPayload
{
    /// <summary>Largest number of dimensions on the wire.</summary>
    internal const int MaximumRank = 8;

    /// <summary>The tensors, in the order they were given.</summary>
    public IReadOnlyList<Tensor> Tensors { get; } = tensors;

    /// <inheritdoc/>
    public long WireSize => 1 + Tensors.Sum(t => 2 + 8L * t.dim() + t.numel() * t.element_size());

    /// <inheritdoc/>
    public void Write(Stream stream)
    {
        stream.WriteByte((byte)Tensors.Count);
        Span<byte> buffer = stackalloc byte[2 + 8 * MaximumRank];
        foreach (var tensor in Tensors)
        {
            using var scope = NewDisposeScope();
            var dense = tensor.detach().cpu().contiguous();
            var header = buffer[..(2 + 8 * dense.shape.Length)];
            header[0] = (byte)dense.dtype;
            header[1] = (byte)dense.shape.Length;
            for (var i = 0; i < dense.shape.Length; i++)
            {
                BinaryPrimitives.WriteInt64LittleEndian(header[(2 + 8 * i)..], dense.shape[i]);
            }

            stream.Write(header);
            stream.Write(dense.bytes);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in Tensors)
        {
            tensor.Dispose();
        }
    }
}

/// <summary>Reads <see cref="TensorPayload"/>s straight into new CPU tensors.</summary>
/// <param name="maximumBytes">Largest tensor accepted, checked before anything is allocated.</param>
public sealed class TensorPayloadReader(long maximumBytes = 1L << 32) : IPayloadReader
{
    private static readonly ScalarType[] Allowed = [ScalarType.Float32, ScalarType.Float64, ScalarType.BFloat16, ScalarType.Int64, ScalarType.Int32];

    /// <inheritdoc/>
    public IPayload Read(Stream stream) => Read(ReadByte(stream), stream);

    /// <summary>Reads what follows the first byte.</summary>
    /// <param name="count">That byte.</param>
    internal IPayload Read(int count, Stream stream)
    {
        var tensors = new Tensor[count];
        var done = 0;
        try
        {
            for (; done < tensors.Length; done++)
            {
                tensors[done] = ReadTensor(stream);
            }

            return new TensorPayload(tensors);
        }
        catch
        {
            for (var i = 0; i < done; i++)
            {
                tensors[i].Dispose();
            }

            throw;
        }
    }

    private Tensor ReadTensor(Stream stream)
    {
        var type = (ScalarType)ReadByte(stream);
        if (!Allowed.Contains(type))
        {
            throw new InvalidDataException($"Tensor type {(int)type} in a payload; allowed are {string.Join(", ", Allowed)}.");
        }

        var rank = ReadByte(stream);
        if (rank > TensorPayload.MaximumRank)
        {
            throw new InvalidDataException($"Tensor of rank {rank} in a payload; at most {TensorPayload.MaximumRank} is allowed.");
        }

        var shape = new long[rank];
        Span<byte> buffer = stackalloc byte[8];
        UInt128 bytes = (UInt128)type.ElementSize();
        for (var i = 0; i < shape.Length; i++)
        {
            stream.ReadExactly(buffer);
            shape[i] = BinaryPrimitives.ReadInt64LittleEndian(buffer);
            bytes *= shape[i] >= 0 ? (UInt128)shape[i] : throw new InvalidDataException($"Negative size {shape[i]} of a tensor in a payload.");
            if (bytes > (UInt128)maximumBytes)
            {
                throw new InvalidDataException($"Tensor of more than {maximumBytes} bytes in a payload.");
            }
        }

        if (stream is FrameReader frame && bytes > (UInt128)frame.Remaining)
        {
            throw new InvalidDataException($"A payload announces a tensor of {bytes} bytes and has only {frame.Remaining} left.");
        }

        var tensor = ReceiveMemory.Empty(shape, type, (long)bytes);
        try
        {
            stream.ReadExactly(tensor.bytes);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    private static int ReadByte(Stream stream) =>
        stream.ReadByte() is var value and >= 0 ? value : throw new EndOfStreamException("A payload ends before its header is complete.");
}
