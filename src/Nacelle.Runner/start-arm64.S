// What C# cannot say: where a program begins, and the instruction that calls the kernel. Procedure call standard for AArch64; syscall(2).
    .globl _start
_start:
    mov x29, #0
    mov x30, #0
    mov x0, sp              // the number of arguments, and behind it the arguments
    bl run_launch
    brk #0

// kernel_call(number, six arguments): the kernel's own answer, a negative errno on failure.
    .globl kernel_call
kernel_call:
    mov x8, x0
    mov x0, x1
    mov x1, x2
    mov x2, x3
    mov x3, x4
    mov x4, x5
    mov x5, x6
    svc #0
    ret

    .section .note.GNU-stack, "", %progbits
