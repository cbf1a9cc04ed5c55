using System.Numerics;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>
/// Looks in any bytes for a piece of a secret: for every whole block of a form, at every offset, by a rolling hash. A piece of two blocks less a byte, wherever in the form it was
/// cut out, has a whole one in it.
/// </summary>
internal sealed class SecretSearch(IEnumerable<SecretForm> forms)
{
    private readonly Index[] _indexes = [.. forms.GroupBy(form => form.Block).Select(group => new Index(group.Key, [.. group]))];

    /// <summary>The form of which a block is in the bytes; null: there is none.</summary>
    public string? Find(ReadOnlySpan<byte> bytes)
    {
        foreach (var index in _indexes)
        {
            if (index.Find(bytes) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private sealed class Index
    {
        /// <summary>Odd, so that a byte counts for any distance.</summary>
        private const ulong Factor = 0x9E3779B97F4A7C15;

        /// <summary>Bits of the filter for each block: few enough other bytes pass.</summary>
        private const int Sparseness = 64;

        private readonly int _block;
        private readonly ulong _leaving;
        private readonly ulong[] _filter;
        private readonly int _shift;
        private readonly Dictionary<ulong, (SecretForm Form, int At)> _blocks = [];

        public Index(int block, SecretForm[] forms)
        {
            (_block, _leaving) = (block, 1);
            for (var i = 0; i < block; i++)
            {
                _leaving *= Factor;
            }

            foreach (var form in forms)
            {
                for (var at = 0; at + block <= form.Bytes.Length; at += block)
                {
                    _blocks.TryAdd(Hash(form.Bytes.AsSpan(at, block)), (form, at));
                }
            }

            var size = BitOperations.RoundUpToPowerOf2((uint)Math.Max(_blocks.Count * Sparseness, 64));
            (_filter, _shift) = (new ulong[size / 64], 64 - BitOperations.Log2(size));
            foreach (var hash in _blocks.Keys)
            {
                _filter[hash >> _shift >> 6] |= 1UL << (int)(hash >> _shift);
            }
        }

        public string? Find(ReadOnlySpan<byte> bytes)
        {
            if (bytes.Length < _block)
            {
                return null;
            }

            var hash = Hash(bytes[.._block]);
            for (var end = _block; ; end++)
            {
                if ((_filter[hash >> _shift >> 6] >> (int)(hash >> _shift) & 1) != 0 && Matches(hash, bytes[(end - _block)..end]) is { } found)
                {
                    return found;
                }

                if (end == bytes.Length)
                {
                    return null;
                }

                hash = (hash * Factor) + bytes[end] - (bytes[end - _block] * _leaving);
            }
        }

        private string? Matches(ulong hash, ReadOnlySpan<byte> bytes) =>
            _blocks.TryGetValue(hash, out var block) && bytes.SequenceEqual(block.Form.Bytes.AsSpan(block.At, _block)) ? block.Form.Name : null;

        private static ulong Hash(ReadOnlySpan<byte> bytes)
        {
            var hash = 0UL;
            foreach (var value in bytes)
            {
                hash = (hash * Factor) + value;
            }

            return hash;
        }
    }
}
