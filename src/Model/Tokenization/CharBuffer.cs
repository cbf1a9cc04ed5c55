using System.Buffers;
using System.Text;

namespace ActorTrainer.Model.Tokenization;

/// <summary>A growing run of characters that starts in the caller's memory (usually the stack) and moves to rented memory when that is full.</summary>
internal ref struct CharBuffer
{
    private Span<char> _chars;
    private char[]? _rented;

    public CharBuffer(Span<char> initial)
    {
        _chars = initial;
        _rented = null;
    }

    public int Length { get; private set; }

    public readonly ReadOnlySpan<char> Span => _chars[..Length];

    public void Clear() => Length = 0;

    public void Append(char value)
    {
        if (Length == _chars.Length)
        {
            Grow(1);
        }

        _chars[Length++] = value;
    }

    public void Append(ReadOnlySpan<char> text) => text.CopyTo(Extend(text.Length));

    public void Append(Rune rune) => rune.EncodeToUtf16(Extend(rune.Utf16SequenceLength));

    /// <summary>Puts a rune before the character at <paramref name="position"/>.</summary>
    public void Insert(int position, Rune rune)
    {
        var width = rune.Utf16SequenceLength;
        var tail = Length - position;
        Extend(width);
        _chars.Slice(position, tail).CopyTo(_chars[(position + width)..]);
        rune.EncodeToUtf16(_chars[position..]);
    }

    /// <summary>Adds <paramref name="count"/> characters and returns their place, for the caller to fill.</summary>
    public Span<char> Extend(int count)
    {
        if (Length + count > _chars.Length)
        {
            Grow(count);
        }

        Length += count;
        return _chars.Slice(Length - count, count);
    }

    public void Dispose()
    {
        if (_rented is not null)
        {
            ArrayPool<char>.Shared.Return(_rented);
            _rented = null;
        }
    }

    private void Grow(int count)
    {
        var larger = ArrayPool<char>.Shared.Rent(Math.Max(Length + count, _chars.Length * 2));
        Span.CopyTo(larger);
        if (_rented is not null)
        {
            ArrayPool<char>.Shared.Return(_rented);
        }

        _chars = _rented = larger;
    }
}
