// What C# cannot say: where a program begins, and the instruction that calls the kernel. System V ABI for x86-64, 3.4.1 and A.2.1.
    .globl _start
_start:
    xor %ebp, %ebp
    mov %rsp, %rdi          // the number of arguments, and behind it the arguments
    and $-16, %rsp
    call run_launch
    hlt

// kernel_call(number, six arguments): the kernel's own answer, a negative errno on failure.
    .globl kernel_call
kernel_call:
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 8(%rsp), %r9
    syscall
    ret

    .section .note.GNU-stack, "", %progbits
